from hand_pose_ros.live.order import FrameOrder, Order

MS = 1_000_000


def test_the_first_and_every_newer_frame_is_new():
    order = FrameOrder()
    assert [order.next(stamp) for stamp in (0, 1, 33 * MS)] == [Order.NEW] * 3
    assert order.behind_ns == 1 - 33 * MS


def test_a_frame_that_is_not_newer_is_late_and_forgotten():
    order = FrameOrder()
    order.next(500 * MS)
    assert order.next(500 * MS) is Order.LATE and order.behind_ns == 0
    assert order.next(401 * MS) is Order.LATE and order.behind_ns == 99 * MS
    assert order.next(499 * MS) is Order.LATE  # against 500, not 401


def test_100_ms_back_is_a_new_beginning():
    order = FrameOrder()
    order.next(500 * MS)
    assert order.next(400 * MS) is Order.SET_BACK and order.behind_ns == 100 * MS
    assert order.next(433 * MS) is Order.NEW
