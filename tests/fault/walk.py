#!/usr/bin/env python3
"""walk: every fault at every place: for each scene, side, call and error the
first call fails, then the second, until a run no longer meets the fault.

	walk.py SOCKCTL LIBRARY FOLDER [--jobs N] [--limit S] [--most N]
		[--quick] [--codes] [--only SCENE[:SIDE[:CALL[:WHAT[:N]]]]]...

Prints a line for each run that went wrong - what --only takes to have it
again - and, at the end, how many there were. --most: no further than the Nth
call. --limit: seconds; what takes longer hangs. --quick: an error or two a
call, the first two calls. --codes: with what those ended that met a fault."""

import argparse
import collections
import concurrent.futures
import os
import shutil
import sys
import threading

import loads
import scenes
import stage

FAULTS = {
    "read": "EINTR EAGAIN EIO short short+",
    "write": "EINTR EAGAIN EIO ENOSPC short short+",
    "recv": "EINTR EAGAIN ECONNRESET ETIMEDOUT ENOMEM short short+",
    "send": "EINTR EAGAIN ENOBUFS ECONNRESET EPIPE ENOMEM short short+",
    "accept": "EINTR EAGAIN ECONNABORTED EMFILE ENFILE ENOMEM ENOBUFS "
              "EMFILE+",
    "connect": "EINTR ECONNREFUSED ENETUNREACH ETIMEDOUT EADDRNOTAVAIL",
    "socket": "EMFILE ENFILE ENOMEM ENOBUFS EMFILE+",
    "bind": "EADDRINUSE EACCES",
    "listen": "EADDRINUSE",
    "setsockopt": "ENOPROTOOPT ENOMEM",
    "open": "EMFILE ENFILE ENOMEM EACCES ENOSPC EMFILE+",
    "rename": "EIO ENOSPC EACCES",
    "fsync": "EINTR EIO ENOSPC",
    "truncate": "EINTR EIO ENOSPC",
    "memory": "ENOMEM",
    "pselect": "EINTR ENOMEM",
    "splice": "EINTR EAGAIN EINVAL ENOMEM short short+",
    "pipe": "EMFILE ENFILE EMFILE+",
    "fork": "EAGAIN ENOMEM",
}
QUICK = {
    "read": "EINTR EIO short",
    "write": "EINTR ENOSPC short",
    "recv": "EAGAIN ECONNRESET short",
    "send": "EAGAIN EPIPE short",
    "accept": "ECONNABORTED EMFILE",
    "connect": "EINTR ECONNREFUSED",
    "socket": "EMFILE",
    "open": "EMFILE",
    "rename": "ENOSPC",
    "fsync": "EIO",
    "truncate": "EINTR",
    "memory": "ENOMEM",
    "pselect": "EINTR",
    "splice": "EAGAIN short",
    "pipe": "EMFILE",
    "fork": "EAGAIN",
}
# Who meets faults, where it is not both in turn.
SIDES = {"probe": ["client"], "probe_expect": ["client"],
         "probe_many": ["client"], "probe_wait": ["client"],
         "workers": ["client"], "proxied": ["client"]}
SCENES = {f.__name__: f for f in (
    scenes.talk, scenes.talk_pipes, scenes.reply, scenes.log, scenes.forward,
    scenes.execute, scenes.broker, scenes.unix, scenes.udp, scenes.serve_udp,
    scenes.echo, scenes.echo_fork, scenes.echo_udp, scenes.chat,
    scenes.proxied, loads.files, loads.files_once, loads.files_pulled,
    loads.resumed, loads.restarted, loads.file_streams, loads.raw,
    loads.flood, loads.flood_bidir, loads.flood_udp, loads.flood_rr,
    loads.flood_crr, loads.workers, loads.probe, loads.probe_expect,
    loads.probe_many, loads.probe_wait)}
QUICK_SCENES = ("talk", "forward", "execute", "chat", "files", "workers")


class Walk:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.runs = self.met = self.bad = 0
        self.codes = collections.defaultdict(collections.Counter)
        self.steady = {}

    def folder(self):
        return os.path.join(self.options.folder,
                            f"run-{threading.get_ident()}")

    def play(self, scene, side, fault):
        run = stage.Run(self.folder(), self.options.sockctl,
                        self.options.library, side, fault)
        run.steady = self.steady.get(scene, 0)
        scenes.prepare(run)
        try:
            complete = SCENES[scene](run)
        except Exception as error:  # one run's, not the walk's
            run.wrong(f"{type(error).__name__}: {error}")
            complete = False
        run.judge(complete)
        with self.lock:
            self.runs += 1
            self.met += run.met
            self.bad += bool(run.wrongs)
            for p in run.processes:
                if p.faulted and run.met:
                    self.codes[scene, side, run.call, run.what][p.code] += 1
            for wrong in run.wrongs:
                print(f"{scene}:{side}:{run.call}:{run.what}:{run.n}: {wrong}",
                      flush=True)
        return run

    def measure(self, scene):
        """Without a fault: it has to work, and says what is usual."""
        self.steady[scene] = 0
        self.steady[scene] = self.play(scene, "server", None).steady

    def steps(self, scene, side, call, what, only):
        if only:
            self.play(scene, side, f"{call}:{only}:{what}")
            return
        for n in range(1, self.options.most + 1):
            always = "+" if what.endswith("+") else ""
            fault = f"{call}:{n}{always}:{what.rstrip('+')}"
            if not self.play(scene, side, fault).met:
                return
            if what == "short+":
                return

    def tasks(self):
        faults = QUICK if self.options.quick else FAULTS
        wanted = [(o.split(":") + [""] * 5)[:5] for o in self.options.only]
        for scene in SCENES:
            if not wanted and self.options.quick and \
                    scene not in QUICK_SCENES:
                continue
            for side in SIDES.get(scene, ["server", "client"]):
                for call, whats in faults.items():
                    for what in whats.split():
                        full = scene, side, call, what
                        if not wanted:
                            yield full + ("",)
                        for w in wanted:
                            if all(a in ("", b) for a, b in zip(w, full)):
                                yield full + (w[4],)
                                break

    def run(self):
        tasks = list(self.tasks())
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            list(pool.map(self.measure, {t[0] for t in tasks}))
            list(pool.map(lambda t: self.steps(*t), tasks))
        if self.options.codes:
            for key, count in sorted(self.codes.items()):
                print(":".join(key), dict(count))
        print(f"{self.runs} runs, {self.met} met their fault, {self.bad} "
              "went wrong")
        return self.bad == 0 and self.met > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sockctl")
    parser.add_argument("library")
    parser.add_argument("folder")
    parser.add_argument("--limit", type=float, default=stage.LIMIT)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--codes", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    options.sockctl = os.path.abspath(options.sockctl)
    stage.LIMIT = options.limit
    options.folder = os.path.abspath(options.folder)
    options.library = os.path.abspath(options.library)
    if options.quick:
        options.most = min(options.most, 2)
    good = Walk(options).run()
    if good:
        shutil.rmtree(options.folder, ignore_errors=True)
    sys.exit(0 if good else 1)


main()
