"""Run by gdb: runs a guest from breakpoint to breakpoint and writes what gdb sees at each, one JSON object a line.

Environment: RECORD_PORT, RECORD_OUTPUT, RECORD_STOPS, RECORD_ADDRESSES (of the breakpoints, hexadecimal, by commas),
RECORD_MEMORY (start:length in hexadecimal, dumped at each stop).
"""
import json
import os

import gdb

MAX_DEPTH = 3


def leaves(value, depth=0):
    """A value as nested dictionaries whose leaves are numbers or None for what was optimised out."""
    type_ = value.type.strip_typedefs()
    code = type_.code
    try:
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            if depth == MAX_DEPTH:
                return {}
            return {field.name: leaves(value[field], depth + 1) for field in type_.fields()}
        if code == gdb.TYPE_CODE_ARRAY:
            if depth == MAX_DEPTH:
                return {}
            low, high = type_.range()
            return {"[%d]" % index: leaves(value[index], depth + 1) for index in range(low, high + 1)}
        if value.is_optimized_out:
            return None
        if code == gdb.TYPE_CODE_FLT:
            return {"float": repr(float(value))}
        return {"int": str(int(value))}
    except (gdb.error, gdb.MemoryError):
        return None


def variables(frame):
    """Variables in scope, inner blocks first."""
    found = {}
    try:
        block = frame.block()
    except RuntimeError:
        return found
    while block is not None:
        for symbol in block:
            if (symbol.is_variable or symbol.is_argument) and symbol.name not in found:
                try:
                    found[symbol.name] = {"type": str(symbol.type), "value": leaves(symbol.value(frame))}
                except (gdb.error, gdb.MemoryError):
                    found[symbol.name] = {"type": str(symbol.type), "value": None}
        if block.function is not None:
            break
        block = block.superblock
    return found


def frames():
    found = []
    frame = gdb.newest_frame()
    while frame is not None and len(found) < 40:
        line = frame.find_sal()
        found.append(
            {
                "pc": hex(frame.pc() & (2**64 - 1)),
                "function": frame.name(),
                "inlined": frame.type() == gdb.INLINE_FRAME,
                "file": line.symtab.filename if line.symtab else None,
                "line": line.line,
                "sp": hex(int(frame.read_register("sp")) & (2**64 - 1)),
                "variables": variables(frame),
            }
        )
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def registers():
    frame = gdb.newest_frame()
    x = [hex(int(frame.read_register("x%d" % n)) & (2**64 - 1)) for n in range(32)]
    f = []
    for n in range(32):
        value = frame.read_register("f%d" % n)
        if value.type.code == gdb.TYPE_CODE_UNION:
            value = value["double"]
        raw = bytes(gdb.Value(value).format_string(format="z"), "ascii").decode()
        f.append(raw)
    return x, f


start, length = (int(part, 16) for part in os.environ["RECORD_MEMORY"].split(":"))
gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("set backtrace past-main on")
gdb.execute("target remote 127.0.0.1:%s" % os.environ["RECORD_PORT"], to_string=True)
inferior = gdb.selected_inferior()
gdb.execute("set breakpoint always-inserted on")
for address in os.environ["RECORD_ADDRESSES"].split(","):
    gdb.execute("break *0x%s" % address, to_string=True)
with open(os.environ["RECORD_OUTPUT"], "w") as output:
    for _ in range(int(os.environ["RECORD_STOPS"])):
        gdb.execute("continue", to_string=True)
        x, f = registers()
        stop = {
            "x": x,
            "f": f,
            "memory": bytes(inferior.read_memory(start, length)).hex(),
            "frames": frames(),
        }
        output.write(json.dumps(stop) + "\n")
gdb.execute("kill")
