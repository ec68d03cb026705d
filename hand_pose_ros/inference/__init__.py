"""Model files and what runs them.

Any back end: `engine` (begin here: `load_engine`), `onnxruntime_engine`, `model_card`, `model_file`, `model_kinds`,
`model_checks`, `model_inputs`, `model_choice` (the fp32 or the fp16 file), `info` (`hand-pose model info`).

A TensorRT plan that runs: `tensorrt_library` (which TensorRT is installed), `tensorrt_build` (ONNX file to plan),
`tensorrt_engine` on `tensorrt_runner` on `batches`, `cuda_device`, `cuda_memory` and `cuda_graph`.

Where plans come from: `plan_loading` (from the cache, or built), `building_engine` (answers meanwhile), `engine_builder`
(starts the process that builds, `build_worker`), `build_progress`, `engine_cache` with `plan_key`, `build_lock` and
`stale_plans`, `engine_command` (`hand-pose engine`).
"""
