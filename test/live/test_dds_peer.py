"""Peers on the wire among themselves."""

import time

import numpy as np
import pytest
from live_node import free_domain

from hand_pose_ros.live.dds.network import Discovery, DiscoveryError
from hand_pose_ros.live.dds.peer import DdsPeer
from hand_pose_ros.live.names import parse_remaps
from hand_pose_ros.live.topics import LATCHED, RELIABLE, SENSOR_DATA
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

STRING = "std_msgs/msg/String"


@pytest.fixture
def domain():
    with free_domain() as number:
        yield number


def peer(name, domain) -> DdsPeer:
    return DdsPeer(name, domain, discovery=Discovery())


def text(library: RosbagsLibrary, data: str):
    return library.make(STRING, data=data)


def test_reliable_messages_come_in_order(domain):
    with peer("a", domain) as a, peer("b", domain) as b:
        heard = b.subscribe("/chat", STRING, qos=RELIABLE)
        said = a.publisher("/chat", STRING, RELIABLE)
        assert a.wait_for(lambda: said.subscribers == 1) and b.wait_for(lambda: heard.publishers == 1)
        for number in range(50):
            said.publish(text(a.library, str(number)))
            time.sleep(0.001)
        assert said.flush()
        assert [heard.queue.get(timeout=5)[0].data for _ in range(50)] == [str(n) for n in range(50)]


def test_an_image_arrives_as_it_was_sent(domain):
    with peer("a", domain) as a, peer("b", domain) as b:
        heard = b.subscribe("image", "sensor_msgs/msg/Image", qos=SENSOR_DATA)
        sender = a.publisher("image", "sensor_msgs/msg/Image", SENSOR_DATA)
        assert a.wait_for(lambda: sender.subscribers == 1)
        data = np.random.default_rng(0).integers(0, 255, 640 * 480 * 2, np.uint8)
        before = time.time_ns()
        sender.publish(a.library.make("sensor_msgs/msg/Image", width=640, height=480, step=1280, encoding="16UC1", data=data))
        image, received_ns = heard.queue.get(timeout=5)
        assert (image.width, image.height, image.encoding) == (640, 480, "16UC1")
        assert np.array_equal(image.data, data)
        assert before < received_ns <= time.time_ns()


def test_raw_subscription_hands_out_the_bytes_on_the_wire(domain):
    with peer("a", domain) as a, peer("b", domain) as b:
        heard = b.subscribe("/chat", STRING, raw=True)
        said = a.publisher("/chat", STRING)
        a.wait_for(lambda: said.subscribers == 1)
        said.publish(text(a.library, "abc"))
        assert heard.queue.get(timeout=5)[0] == bytes(a.library.serialize(text(a.library, "abc"), STRING))


def test_latched_messages_reach_those_who_come_late(domain):
    with peer("a", domain) as a:
        said = a.publisher("/chat", STRING, LATCHED)
        for word in ("old", "new"):
            said.publish(text(a.library, word))
        with peer("b", domain) as b:
            assert b.subscribe("/chat", STRING, qos=LATCHED).queue.get(timeout=5)[0].data == "new"


def test_namespaces_and_remaps(domain):
    with DdsPeer(parse_remaps("a", ["__ns:=/r", "chat:=/talk"]), domain, discovery=Discovery()) as a:
        assert a.publisher("chat", STRING).topic == "/talk"
        assert a.subscribe("other", STRING).topic == "/r/other"


def test_a_fault_in_a_callback_is_logged_and_the_next_message_comes(domain, caplog):
    got = []

    def callback(message, _):
        got.append(message.data)
        raise RuntimeError("no")

    with peer("a", domain) as a, peer("b", domain) as b:
        b.subscribe("/chat", STRING, callback)
        said = a.publisher("/chat", STRING)
        a.wait_for(lambda: said.subscribers == 1)
        for word in ("one", "two"):
            said.publish(text(a.library, word))
        assert b.wait_for(lambda: got == ["one", "two"])
    assert "/chat: a message could not be handled" in caplog.text


def test_best_effort_publisher_and_reliable_subscriber_are_told(domain, caplog):
    with peer("a", domain) as a, peer("b", domain) as b:
        b.subscribe("/chat", STRING, qos=RELIABLE)
        a.publisher("/chat", STRING, SENSOR_DATA)
        assert b.wait_for(lambda: len(caplog.records) >= 2, 5)
    assert (
        "/chat: a publisher does not offer the reliability that is asked for here (reliable, volatile, keep last 10)"
        in caplog.text
    )
    assert "/chat: a subscriber asks for a reliability that this publisher does not offer (best effort" in caplog.text


def test_closed_peer_is_gone_and_its_domain_can_be_opened_otherwise(domain):
    with peer("a", domain) as a:
        said = a.publisher("/chat", STRING)
        with peer("b", domain) as b:
            b.subscribe("/chat", STRING)
            assert a.wait_for(lambda: said.subscribers == 1)
            with pytest.raises(DiscoveryError, match="already open in this process"):
                DdsPeer("c", domain, discovery=Discovery("localhost", ("127.0.0.2",)))
        assert a.wait_for(lambda: said.subscribers == 0)


def test_bad_configuration_is_named(domain):
    with pytest.raises(DiscoveryError, match="cyclonedds refuses the configuration '<Wrong"):
        DdsPeer("a", domain, discovery=Discovery(configuration="<Wrong/>"))


def test_peers_of_one_process_come_and_go(domain):
    for _ in range(3):
        with peer("a", domain) as a, peer("b", domain) as b:
            heard, said = b.subscribe("/chat", STRING), a.publisher("/chat", STRING)
            assert a.wait_for(lambda said=said: said.subscribers == 1)
            said.publish(text(a.library, "x"))
            assert heard.queue.get(timeout=5)[0].data == "x"
        a.close()  # a second time
    with DdsPeer("a", domain, discovery=Discovery("system_default", configuration=Discovery().xml())):
        pass
