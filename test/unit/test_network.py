"""Whom the node finds: options and environment as cyclonedds configuration."""

import xml.etree.ElementTree as ET

import pytest

from hand_pose_ros.live.dds.network import Discovery, DiscoveryError, domain_id_from_environment

VARIABLES = ("CYCLONEDDS_URI", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_STATIC_PEERS", "ROS_LOCALHOST_ONLY", "ROS_DOMAIN_ID")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def peers(discovery: Discovery) -> list[str]:
    return [p.get("address") for p in ET.fromstring(discovery.xml()).iter("Peer")]


def multicast(discovery: Discovery) -> str:
    return next(ET.fromstring(discovery.xml()).iter("AllowMulticast")).text


def test_this_machine_only_unless_told_otherwise():
    discovery = Discovery.from_environment()
    assert peers(discovery) == ["127.0.0.1"] and multicast(discovery) == "false"
    assert str(discovery) == "this machine only"
    interfaces = list(ET.fromstring(discovery.xml()).iter("NetworkInterface"))
    assert interfaces[0].get("name") == "lo" and all(i.get("multicast") == "false" for i in interfaces)
    assert next(ET.fromstring(discovery.xml()).iter("SPDPInterval")).text == "1s"


def test_ros_variables(monkeypatch):
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    monkeypatch.setenv("ROS_STATIC_PEERS", "10.0.0.2;robot.local")
    discovery = Discovery.from_environment()
    assert peers(discovery) == ["10.0.0.2", "robot.local"] and multicast(discovery) == "default"
    assert str(discovery) == "the local network and 10.0.0.2, robot.local"
    monkeypatch.setenv("ROS_LOCALHOST_ONLY", "1")
    assert Discovery.from_environment().range == "localhost"


def test_own_configuration_is_taken_as_it_is_unless_a_range_is_chosen(monkeypatch):
    monkeypatch.setenv("CYCLONEDDS_URI", "file:///etc/cyclone.xml")
    assert Discovery.from_environment().xml() == "file:///etc/cyclone.xml"
    assert peers(Discovery.from_environment("localhost")) == ["127.0.0.1"]
    assert Discovery.from_environment("system_default").xml() == ""


def test_bad_values_are_named(monkeypatch):
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "PLANET")
    with pytest.raises(DiscoveryError, match="ROS_AUTOMATIC_DISCOVERY_RANGE is 'PLANET': use one of localhost"):
        Discovery.from_environment()
    monkeypatch.setenv("ROS_DOMAIN_ID", "one")
    with pytest.raises(DiscoveryError, match="ROS_DOMAIN_ID is 'one'"):
        domain_id_from_environment()
    monkeypatch.setenv("ROS_DOMAIN_ID", "42")
    assert domain_id_from_environment() == 42
