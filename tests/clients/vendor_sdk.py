"""The vendor's own client against the servos on a port: ids 1, 2, 3 at 1 Mbaud, as from the factory.

Prints a line for each thing that held; the first that doesn't ends it with an error.
"""

import sys
import time

from dynamixel_sdk import (
    COMM_SUCCESS,
    GroupBulkRead,
    GroupBulkWrite,
    GroupSyncRead,
    GroupSyncWrite,
    PacketHandler,
    PortHandler,
)

IDS = [1, 2, 3]
port = PortHandler(sys.argv[1])
packets = PacketHandler(2.0)


def held(what, condition, found=""):
    if not condition:
        sys.exit(f"NOT HELD: {what} {found}")
    print(f"held: {what}")


def done(answer):
    """(result, error) of a write: whether it was taken."""
    return answer == (COMM_SUCCESS, 0)


def little_endian(number, size):
    return list(number.to_bytes(size, "little", signed=number < 0))


def awake(servo, seconds=2.0):
    end = time.time() + seconds
    while time.time() < end:
        if packets.ping(port, servo)[1] == COMM_SUCCESS:
            return True
    return False


held("the port opens", port.openPort())

# A scan of baud rates and ids.
found = {}
for baud in (57600, 1000000):
    port.setBaudRate(baud)
    found[baud] = [servo for servo in range(5) if packets.ping(port, servo)[1] == COMM_SUCCESS]
held("a scan finds the servos at their baud rate and nowhere else", found == {57600: [], 1000000: IDS}, found)

answers = [packets.ping(port, servo) for servo in IDS]
held("pings give the model number", all(answer == (1030, COMM_SUCCESS, 0) for answer in answers), answers)
servos, result = packets.broadcastPing(port)
held("a broadcast ping finds all", result == COMM_SUCCESS and servos == {servo: [1030, 48] for servo in IDS}, servos)

# Reads and writes of every width.
held("a byte is written and read", done(packets.write1ByteTxRx(port, 1, 65, 1)) and packets.read1ByteTxRx(port, 1, 65)[0] == 1)
held("two bytes", done(packets.write2ByteTxRx(port, 1, 84, 640)) and packets.read2ByteTxRx(port, 1, 84)[0] == 640)
held("four bytes", done(packets.write4ByteTxRx(port, 1, 108, 77)) and packets.read4ByteTxRx(port, 1, 108)[0] == 77)
# Version 4.1.0 sends these bytes without stuffing (its txPacket drops what addStuffing returns); ours come back stuffed.
stuffed = [1, 0xFF, 0xFF, 0xFD, 2]
held(
    "a header in the data survives, both ways",
    done(packets.writeTxRx(port, 1, 224, len(stuffed), stuffed))
    and list(packets.readTxRx(port, 1, 224, len(stuffed))[0]) == stuffed,
)

# Errors.
errors = {
    "a value out of its range": (packets.write1ByteTxRx(port, 1, 7, 253), 4),
    "a goal beyond the limits": (packets.write4ByteTxRx(port, 1, 116, 4096), 6),
    "too few bytes for a register": (packets.write2ByteTxRx(port, 1, 116, 5), 5),
    "a register that is read-only": (packets.write4ByteTxRx(port, 1, 132, 5), 7),
}
for what, (answer, code) in errors.items():
    held(f"{what} is error {code}", answer == (COMM_SUCCESS, code), answer)

# The lock of the EEPROM, torque and motion.
held("torque goes on", done(packets.write1ByteTxRx(port, 1, 64, 1)))
held("the EEPROM is locked under torque", packets.write1ByteTxRx(port, 1, 7, 9) == (COMM_SUCCESS, 7))
held("a goal is taken", done(packets.write4ByteTxRx(port, 1, 116, 2500)))
end = time.time() + 20
while abs(packets.read4ByteTxRx(port, 1, 132)[0] - 2500) > 15 and time.time() < end:
    time.sleep(0.02)
held("the servo goes there", abs(packets.read4ByteTxRx(port, 1, 132)[0] - 2500) <= 15)
held("torque goes off", done(packets.write1ByteTxRx(port, 1, 64, 0)))

# Several at once.
write = GroupSyncWrite(port, packets, 116, 4)
for servo in IDS:
    write.addParam(servo, little_endian(2000 + servo, 4))
held("a sync write goes out", write.txPacket() == COMM_SUCCESS)
read = GroupSyncRead(port, packets, 116, 4)
for servo in IDS:
    read.addParam(servo)
goals = lambda: [read.getData(servo, 116, 4) for servo in IDS]
held("a sync read brings what it wrote", read.txRxPacket() == COMM_SUCCESS and goals() == [2001, 2002, 2003])
held("so does a fast sync read", read.fastSyncRead() == COMM_SUCCESS and goals() == [2001, 2002, 2003], goals())
wide = GroupSyncRead(port, packets, 126, 21)
for servo in IDS:
    wide.addParam(servo)
held("current to temperature in one fast sync read", wide.fastSyncRead() == COMM_SUCCESS)
held("the supply is 12 V and the room 25 degrees", all(wide.getData(s, 144, 2) == 120 and wide.getData(s, 146, 1) in range(24, 30) for s in IDS))
bulk = GroupBulkWrite(port, packets)
bulk.addParam(1, 65, 1, [0])
bulk.addParam(2, 116, 4, little_endian(1234, 4))
held("a bulk write goes out", bulk.txPacket() == COMM_SUCCESS)
bulk = GroupBulkRead(port, packets)
bulk.addParam(1, 65, 1)
bulk.addParam(2, 116, 4)
values = lambda: (bulk.getData(1, 65, 1), bulk.getData(2, 116, 4))
held("a bulk read brings what it wrote", bulk.txRxPacket() == COMM_SUCCESS and values() == (0, 1234), values())
held("so does a fast bulk read", bulk.fastBulkRead() == COMM_SUCCESS and values() == (0, 1234), values())
held("a write is registered", done(packets.regWriteTxRx(port, 3, 65, 1, [1])) and packets.read1ByteTxRx(port, 3, 65)[0] == 0)
packets.action(port, 0xFE)  # to all, since this client doesn't wait for the answer of one
held("and done at the action", packets.read1ByteTxRx(port, 3, 65)[0] == 1)

# A new id, a new baud rate, a new start.
held("an id is changed", done(packets.write1ByteTxRx(port, 2, 7, 77)) and packets.ping(port, 77)[1] == COMM_SUCCESS)
held("the old one is gone", packets.ping(port, 2)[1] != COMM_SUCCESS)
held("and changed back", done(packets.write1ByteTxRx(port, 77, 7, 2)) and packets.ping(port, 2)[1] == COMM_SUCCESS)
held("a baud rate is changed", done(packets.write1ByteTxRx(port, 3, 8, 1)) and packets.ping(port, 3)[1] != COMM_SUCCESS)
port.setBaudRate(57600)
held("the servo answers at the new one", packets.ping(port, 3)[1] == COMM_SUCCESS)
held("and changes back", done(packets.write1ByteTxRx(port, 3, 8, 3)))
port.setBaudRate(1000000)
held("return delay goes to 0", done(packets.write1ByteTxRx(port, 3, 9, 0)))
held("RAM is written", done(packets.write2ByteTxRx(port, 3, 84, 123)))
held("a reboot is answered", done(packets.reboot(port, 3)))
held("and the servo is back after it", awake(3))
kept = (packets.read1ByteTxRx(port, 3, 9)[0], packets.read2ByteTxRx(port, 3, 84)[0])
held("EEPROM outlives the reboot, RAM doesn't", kept == (0, 800), kept)
held("turns are cleared", done(packets.clearMultiTurn(port, 1)))
held("a factory reset but for id and baud rate", done(packets.factoryReset(port, 3, 2)) and awake(3))
held("the return delay is the factory's", packets.read1ByteTxRx(port, 3, 9)[0] == 250)
port.closePort()
print("everything held")
