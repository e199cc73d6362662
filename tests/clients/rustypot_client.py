"""rustypot, a Rust client with Python on top, against the servos on a port: ids 1, 2, 3 at 1 Mbaud.

It has no class for the XM430; the registers used here lie where the XL430's do.
"""

import sys
import time

from rustypot import Xl430PyController

IDS = [1, 2, 3]
GOALS = [2300, 1900, 2100]


def held(what, condition, found=""):
    if not condition:
        sys.exit(f"NOT HELD: {what} {found}")
    print(f"held: {what}")


bus = Xl430PyController(sys.argv[1], 1000000, 0.5)
held("pings are answered", all(bus.ping(servo) for servo in IDS))
held("a servo that isn't there doesn't answer", not bus.ping(9))
held("model numbers are read", list(bus.sync_read_model_number(IDS)) == [1030] * 3, bus.sync_read_model_number(IDS))
held("a scan finds them", bus.scan(list(range(5))) == {servo: 1030 for servo in IDS})
held("positions are read", list(bus.sync_read_present_position(IDS)) == [2048] * 3)
bus.sync_write_torque_enable(IDS, [1] * 3)
held("torque goes on", list(bus.sync_read_torque_enable(IDS)) == [1] * 3)
bus.sync_write_goal_position(IDS, GOALS)
end = time.time() + 20
near = lambda: all(abs(a - b) <= 15 for a, b in zip(bus.sync_read_present_position(IDS), GOALS))
while not near() and time.time() < end:
    time.sleep(0.02)
held("goals are reached", near(), bus.sync_read_present_position(IDS))
bus.sync_write_torque_enable(IDS, [0] * 3)
bus.write_id(2, 50)
held("an id is changed", bus.ping(50) and not bus.ping(2))
bus.write_id(50, 2)
bus.reboot(2)
end = time.time() + 2
while not bus.ping(2) and time.time() < end:
    pass
held("a servo is back after its reboot", bus.ping(2))
print("everything held")
