"""What ROS 2 machines see of the node: topics, types, QoS, and to which node they belong."""

import time

import numpy as np
import pytest
from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication, BuiltinTopicDcpsSubscription
from cyclonedds.qos import Policy
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from live_node import LiveNode, free_domain, node_and_client

from hand_pose_ros.live.dds.network import Discovery
from hand_pose_ros.live.dds.peer import DdsPeer
from hand_pose_ros.live.dds.qos import to_dds
from hand_pose_ros.live.topics import LATCHED, QosProfile
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

INFO = "rmw_dds_common/msg/ParticipantEntitiesInfo"


def node_infos(peer: DdsPeer) -> dict[str, object]:
    """Newest `ros_discovery_info` by node, as rmw reads it."""
    topic = Topic(peer._participant, "ros_discovery_info", peer._types.get(INFO), to_dds(LATCHED))
    reader = DataReader(peer._participant, topic, to_dds(QosProfile(depth=100, transient_local=True)))
    time.sleep(1.0)
    infos = {}
    for sample in reader.take(100):
        info = peer.library.deserialize(sample.cdr, INFO)
        for node in info.node_entities_info_seq:
            infos[f"{node.node_namespace}{node.node_name}"] = (info.gid, node)
    return infos


def endpoints(peer: DdsPeer, builtin) -> dict[str, object]:
    """Endpoints of other participants, by topic."""
    reader = BuiltinDataReader(peer._participant, builtin)
    return {e.topic_name: e for e in reader.take(100) if e.participant_key != peer._participant.guid}


@pytest.mark.parametrize(("distro", "gid_size"), [("humble", 24), ("jazzy", 16)])
def test_the_node_and_its_endpoints(model, distro, gid_size):
    with node_and_client("--set", f"model:={model}", "--ros-distro", distro, client={"distro": distro}) as (_, client):
        peer = client.peer
        infos = node_infos(peer)
        assert set(infos) == {"/hand_pose", "/test_client"}
        gid, node = infos["/hand_pose"]
        assert gid.data.size == gid_size
        writers, readers = endpoints(peer, BuiltinTopicDcpsPublication), endpoints(peer, BuiltinTopicDcpsSubscription)
        assert {topic: e.type_name for topic, e in writers.items() if topic.startswith("rt/")} == {
            "rt/hands": "hand_pose_ros::msg::dds_::HandPoseArray_",
            "rt/hand_markers": "visualization_msgs::msg::dds_::MarkerArray_",
            "rt/palm_poses": "geometry_msgs::msg::dds_::PoseArray_",
            "rt/hand_joint_states": "sensor_msgs::msg::dds_::JointState_",
            "rt/hand_grasps": "hand_pose_ros::msg::dds_::HandGraspArray_",
            "rt/grasp_pose": "geometry_msgs::msg::dds_::PoseStamped_",
            "rt/hand_bones": "std_msgs::msg::dds_::String_",
            "rt/tf": "tf2_msgs::msg::dds_::TFMessage_",
            "rt/diagnostics": "diagnostic_msgs::msg::dds_::DiagnosticArray_",
            "rt/model": "std_msgs::msg::dds_::String_",
            "rt/run_info": "std_msgs::msg::dds_::String_",
            "rt/overlay": "sensor_msgs::msg::dds_::Image_",
        }
        assert set(readers) == {"rt/depth/image_rect", "rt/depth/camera_info"}
        # Every endpoint is announced under its node, by its own id.
        for announced, seen in ((node.writer_gid_seq, writers), (node.reader_gid_seq, readers)):
            expected = {e.key.bytes for topic, e in seen.items() if topic.startswith("rt/")}
            assert {bytes(g.data[:16]) for g in announced} == expected
            assert all(not np.any(g.data[16:]) for g in announced)


def test_quality_of_service_and_type_hash(model):
    with node_and_client("--set", f"model:={model}") as (_, client):
        writers, readers = (
            endpoints(client.peer, BuiltinTopicDcpsPublication),
            endpoints(client.peer, BuiltinTopicDcpsSubscription),
        )
        assert readers["rt/depth/image_rect"].qos[Policy.Reliability] == Policy.Reliability.BestEffort
        hands = writers["rt/hands"].qos
        assert isinstance(hands[Policy.Reliability], Policy.Reliability.Reliable)
        assert hands[Policy.Durability] == Policy.Durability.Volatile
        assert writers["rt/model"].qos[Policy.Durability] == Policy.Durability.TransientLocal
        type_hash = RosbagsLibrary("jazzy").typestore.hash_rihs01("hand_pose_ros/msg/HandPoseArray")
        assert hands[Policy.Userdata].data == f"typehash={type_hash};".encode()


def test_a_node_that_ends_is_gone(model):
    with node_and_client("--set", f"model:={model}") as (node, client):
        assert node.stop() == 0
        assert client.peer.wait_for(lambda: client.images.subscribers == 0, 5)


def test_domain_and_range_of_the_environment(model):
    with free_domain() as domain:
        node = LiveNode("--set", f"model:={model}", ROS_DOMAIN_ID=str(domain), ROS_LOCALHOST_ONLY="1", ROS_DISTRO="humble")
        try:
            node.wait_for_log(f"/hand_pose on domain {domain}, this machine only (ROS 2 humble)")
            with DdsPeer("other", domain, discovery=Discovery()) as peer:
                model_card = peer.subscribe("model", "std_msgs/msg/String", qos=LATCHED)
                assert '"tiny"' in model_card.queue.get(timeout=10)[0].data
        finally:
            node.kill()
