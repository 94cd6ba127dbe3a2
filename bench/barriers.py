"""How long a pipe stands still at a barrier when aggregate has many keys, and how long a restart from them takes."""
import argparse
import shutil
import tempfile
from pathlib import Path

import large_state
from contest import say

PEERS = []


def run(args):
    rows = []
    for keys, changed in ((args.lines // 100, args.lines // 100), (args.lines, args.lines // 100)):
        say(f"barriers: {keys} keys")
        folder = Path(tempfile.mkdtemp(prefix="millpipe-barriers-"))
        asked = argparse.Namespace(keys=keys, changed=changed, barriers=10 if args.quick else 100, job=large_state.JOB)
        try:
            told = large_state.measure(asked, folder)
        finally:
            shutil.rmtree(folder)
        stands, saved = told["stall_ms"], told["saved_after_ms"]
        rows.append({"table": "a barrier, and a restart", "system": f"{keys:,} keys, {changed:,} changed",
                     **{f"{name}_ms": stands[name] for name in ("p50", "p99", "max")}, "saved_after_p50_ms": saved["p50"],
                     "restart_ms": told["restart_ms"], "bytes_per_key": told["memory_bytes_per_key"],
                     "disk_bytes_per_key": told["disk_bytes_per_key"], "barriers": told["barriers"]})
    return rows
