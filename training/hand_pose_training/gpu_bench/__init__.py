"""The same network through torch, ONNX Runtime and TensorRT on one machine: do they agree, and how long do they take?"""
