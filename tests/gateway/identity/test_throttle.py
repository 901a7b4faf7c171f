"""The limit on failed attempts, by itself."""

from etbgm_gateway.identity.throttle import MOST_FAILURES, RECOVERY_S, Throttle


def test_an_address_that_fails_often_waits_and_others_do_not() -> None:
    throttle = Throttle()
    for _ in range(MOST_FAILURES):
        assert throttle.wait_s("one", 0.0) == 0
        throttle.failed("one", 0.0)
    assert throttle.wait_s("one", 0.0) == RECOVERY_S
    assert throttle.wait_s("other", 0.0) == 0
    assert throttle.wait_s("one", RECOVERY_S + 0.1) == 0
    throttle.failed("one", RECOVERY_S + 0.1)
    assert throttle.wait_s("one", RECOVERY_S + 0.2) > 0
    assert throttle.wait_s("one", 1e6) == 0
