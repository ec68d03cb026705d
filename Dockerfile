# The lifecycle node with ROS 2; docs/ros.md says how it is started.
#
#   docker build -t hand_pose_ros .                                              # Jazzy, the network on the CPU
#   docker build -t hand_pose_ros --build-arg TENSORRT="tensorrt-rtx==1.7.1.116 cuda-bindings<14" .         # + an RTX GPU
#   docker build -t hand_pose_ros --build-arg BASE=nvcr.io/nvidia/l4t-tensorrt:r10.3.0-devel \
#       --build-arg ROS_DISTRO=humble --build-arg TENSORRT="cuda-bindings<13" .       # Jetson, JetPack 6
ARG BASE=ros:jazzy-ros-base
FROM ${BASE}

ARG ROS_DISTRO=jazzy
ARG ROS_APT_SOURCE=1.2.0
# Requirements for pip: what the TensorRT back end needs that BASE does not have.
ARG TENSORRT=""
ARG DEBIAN_FRONTEND=noninteractive
SHELL ["/bin/bash", "-o", "pipefail", "-c"]

# A base without ROS (NVIDIA's) gets it from the ROS apt repository.
# hadolint ignore=DL3008
RUN if [ ! -e "/opt/ros/${ROS_DISTRO}/setup.bash" ]; then \
        apt-get update && apt-get install -y --no-install-recommends ca-certificates curl \
        && curl -fsSL -o /tmp/ros.deb "https://github.com/ros-infrastructure/ros-apt-source/releases/download/${ROS_APT_SOURCE}/ros2-apt-source_${ROS_APT_SOURCE}.$(. /etc/os-release && echo "${VERSION_CODENAME}")_all.deb" \
        && apt-get install -y --no-install-recommends /tmp/ros.deb && rm /tmp/ros.deb \
        && apt-get update && apt-get install -y --no-install-recommends "ros-${ROS_DISTRO}-ros-base" ros-dev-tools \
        && rm -rf /var/lib/apt/lists/* && rosdep init; \
    fi

WORKDIR /ws
COPY package.xml requirements-ros.txt src/hand_pose_ros/
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv \
    && rosdep update --rosdistro "${ROS_DISTRO}" \
    && rosdep install --from-paths src --ignore-src -y --rosdistro "${ROS_DISTRO}" \
        --dependency-types buildtool --dependency-types build --dependency-types exec --skip-keys python3-onnxruntime-pip \
    && rm -rf /var/lib/apt/lists/*
# TENSORRT is a list of requirements, so it is left to be split.
# hadolint ignore=DL3042,SC2086
RUN python3 -m venv --system-site-packages /opt/hand_pose_venv \
    && /opt/hand_pose_venv/bin/pip install --no-cache-dir -r src/hand_pose_ros/requirements-ros.txt ${TENSORRT}
COPY . src/hand_pose_ros
RUN source "/opt/ros/${ROS_DISTRO}/setup.bash" && source /opt/hand_pose_venv/bin/activate \
    && colcon build --cmake-args -DBUILD_TESTING=OFF

# `docker stop`: on SIGTERM, ros2 launch ends without its nodes.
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/bash", "-c", "source /ws/install/setup.bash && exec \"$@\"", "--"]
CMD ["ros2", "launch", "hand_pose_ros", "hand_pose.launch.py"]
