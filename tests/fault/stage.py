"""stage: one run of sockctl with peers, in a folder of its own, one process of
which meets a fault; and what is asked of every run."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

LIMIT = 10.0  # seconds until a process that does not end hangs
CPU = 0.5  # seconds of CPU time that no run needs
PATIENCE = 1.0  # seconds that a lasting fault is watched
IDLE = 0.2  # seconds of CPU time meanwhile
SETTLE = 3.0  # seconds for descriptors to be closed

# What a program does as if nothing had happened: errors of the moment, and
# less than was asked for.
PASSING = {"EINTR", "short", "short+"}
PASSING_OF = {
    "read": {"EAGAIN"},
    "write": {"EAGAIN"},
    "recv": {"EAGAIN"},
    "send": {"EAGAIN", "ENOBUFS"},
    "splice": {"EAGAIN", "EINVAL"},
    "accept": {"EAGAIN", "ECONNABORTED", "EMFILE", "ENFILE", "ENOMEM",
               "ENOBUFS"},
    "pselect": {"ENOMEM"},
    "setsockopt": set(),
}
# With what the process that meets any other fault may end.
REFUSED, RESOLVE, TIMEOUT, LOST, LOCAL, SETUP, ASSERT = 1, 3, 4, 5, 6, 7, 9
# Those that are results, not errors; {ASSERT} for the other modes.
FOUND = {"probe": {REFUSED, TIMEOUT, ASSERT}}
CODES = {
    "read": {LOCAL, RESOLVE},
    "write": {LOCAL, RESOLVE},
    "open": {LOCAL, SETUP, RESOLVE},
    "rename": {LOCAL, SETUP},
    "fsync": {LOCAL},
    "truncate": {LOCAL},
    "memory": {LOCAL, RESOLVE},
    "recv": {LOST, REFUSED},
    "send": {LOST, REFUSED},
    "splice": {LOST, LOCAL},
    "accept": {SETUP},
    "connect": {REFUSED, TIMEOUT, SETUP},
    "socket": {LOCAL, SETUP, REFUSED},
    "bind": {SETUP},
    "listen": {SETUP},
    "setsockopt": {SETUP},
    "pipe": {LOCAL, SETUP, RESOLVE},
    "fork": {LOCAL, SETUP, RESOLVE},
}


class Process:
    """One that was started; its streams are files of the run's folder."""

    def __init__(self, name, faulted, popen, run):
        self.name, self.faulted = name, faulted
        self.popen, self.run = popen, run
        self.code = None
        self.cpu = 0.0
        self.stopped = False  # asked to end
        self.port = None
        self.before = 0  # descriptors when it listened
        self.fd = os.pidfd_open(popen.pid)

    def ended(self, seconds):
        """Waits so long; True once it has ended."""
        if self.code is not None:
            return True
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(max(seconds, 0) * 1000):
            return False
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        self.popen.returncode = self.code
        self.cpu = usage.ru_utime + usage.ru_stime
        os.close(self.fd)
        return True

    def end(self):
        """It has to end by itself; a lasting fault it may wait out."""
        if self.run.lasting and not self.stopped and not self.ended(PATIENCE):
            self.stop()
        if not self.ended(LIMIT):
            self.run.wrong(f"{self.name} hangs")
            self.kill()
        return self.code

    def stop(self):
        if self.code is None and not self.ended(0):
            self.stopped = True
            self.popen.send_signal(signal.SIGTERM)
        return self.end()

    def kill(self):
        if not self.ended(0):
            self.popen.kill()
            self.ended(LIMIT)

    def descriptors(self):
        try:
            return len(os.listdir(f"/proc/{self.popen.pid}/fd"))
        except OSError:
            return 0

    def text(self, suffix):
        return self.run.read(f"{self.name}.{suffix}")

    def last_event(self):
        """None where there are none."""
        for suffix in "err", "out":
            line = self.text(suffix).rstrip(b"\n").split(b"\n")[-1]
            if line.startswith(b'{"ts":'):
                return json.loads(line)
        return None


class Run:
    """side meets fault (CALL:N:WHAT); None: nobody does."""

    def __init__(self, folder, sockctl, library, side, fault):
        self.folder, self.sockctl, self.library = folder, sockctl, library
        self.side, self.fault = side, fault
        self.call, self.n, self.what = (fault or "none:0:none").split(":")
        self.n = self.n.rstrip("+")
        if "+" in (fault or ""):
            self.what += "+"
        self.wrongs = []
        self.processes = []
        self.helpers = []
        self.sockets = []
        self.harmed = 0  # clients that were not served well
        self.lossy = False  # messages: those not taken now are lost
        self.also = set()  # exit codes that fit this scene besides
        self.steady = 0  # descriptors of a server when nobody is there
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def read(self, name):
        try:
            with open(self.path(name), "rb") as f:
                return f.read()
        except OSError:
            return None

    def wrong(self, text):
        self.wrongs.append(text)

    @property
    def met(self):
        count = self.read("count") or b""
        return int.from_bytes(count, sys.byteorder) >= int(self.n) > 0

    @property
    def passing(self):
        """The fault is one that nobody may notice."""
        if self.lossy and self.call == "send" and self.what != "EINTR":
            return False
        return self.fault is None or self.what in PASSING or \
            self.what in PASSING_OF.get(self.call, ())

    def datagrams(self):
        """Each may be lost, which is met by time or by an assertion."""
        self.lossy = True
        self.also = {TIMEOUT, ASSERT}

    @property
    def lasting(self):
        return self.what.endswith("+") and self.what != "short+"

    def start(self, name, args, source=None, side=None, piped=False):
        """source: a file of the folder, else nothing. piped: both standard
        streams are pipes."""
        faulted = self.fault is not None and side == self.side
        env = {k: v for k, v in os.environ.items()
               if k not in ("LD_PRELOAD", "FAULT", "FAULT_COUNT")}
        if faulted:
            env |= {"LD_PRELOAD": self.library, "FAULT": self.fault,
                    "FAULT_COUNT": self.path("count"),
                    "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99"}
        if side == self.side:
            args = args + ["--json"]
        with open(self.path(name + ".out"), "wb") as out, \
                open(self.path(name + ".err"), "wb") as err, \
                open(self.path(source) if source else os.devnull,
                     "rb") as given:
            read, write = given, out
            if piped:
                cats = [subprocess.Popen(["cat"], stdin=given,
                                         stdout=subprocess.PIPE),
                        subprocess.Popen(["cat"], stdin=subprocess.PIPE,
                                         stdout=out)]
                self.helpers += cats
                read, write = cats[0].stdout, cats[1].stdin
            popen = subprocess.Popen([self.sockctl] + args, stdin=read,
                                     stdout=write, stderr=err, env=env,
                                     cwd=self.folder)
            if piped:
                read.close()
                write.close()
        process = Process(name, faulted, popen, self)
        self.processes.append(process)
        return process

    def server(self, args, source=None, piped=False, name="server",
               side="server"):
        """Until it listens: then .port is set; None where it ended instead."""
        port = self.path(name + ".port")
        p = self.start(name, args + ["-s", "127.0.0.1", "-p", "0",
                                     "--port-file", port],
                       source, side, piped)
        until = time.monotonic() + LIMIT
        while not os.path.exists(port):
            if p.ended(0.003):
                return None
            if time.monotonic() > until:
                self.wrong(f"{name} does not listen")
                p.kill()
                return None
        with open(port, encoding="ascii") as f:
            p.port = f.read().strip()
        p.before = p.descriptors()
        return p

    def appears(self, process, name):
        """False where the process ended without this socket. Bound is not yet
        listening, which is said (should it be able to say anything)."""
        self.until(lambda: process.ended(0) or
                   os.path.exists(self.path(name)))
        self.until(lambda: process.ended(0) or
                   b"listening" in process.text("err"), PATIENCE)
        return os.path.exists(self.path(name))

    def until(self, holds, seconds=None):
        until = time.monotonic() + (seconds or LIMIT)
        while not holds():
            if time.monotonic() > until:
                return False
            time.sleep(0.003)
        return True

    def client(self, args, source=None, piped=False, name="client",
               side="client"):
        return self.start(name, args, source, side, piped)

    def dial(self, server):
        """A bare socket; OSError where the server is gone."""
        while True:
            try:
                s = socket.create_connection(("127.0.0.1", int(server.port)),
                                             LIMIT)
                break
            except OSError:
                if server.ended(0.1):
                    raise
        self.sockets.append(s)
        return s

    def drain(self):
        """The pipes' other ends have written what came."""
        for helper in self.helpers:
            helper.wait(LIMIT)

    # What is asked.

    def served(self, what, well):
        """A client of a server that goes on was served well, or not: nobody
        is harmed by another one's fault."""
        if not well:
            self.harmed += 1
            if self.passing and not self.lasting:
                self.wrong(f"{what} was not served")

    def goes_on(self, server, well):
        """After the fault: the server lives, has no descriptor too many, and
        serves the next one: well() says so. Then it is asked to end."""
        gone = server.ended(0)
        if gone and not (server.faulted and self.may_end()):
            self.wrong(f"{server.name} ended with {server.code}")
        if not gone and not self.lasting and not self.next_is(well):
            # It may have been about to end.
            gone = server.faulted and self.may_end() and server.ended(LIMIT)
            if not gone:
                self.wrong("the next client was not served")
        if self.harmed > 1 and not gone and not self.lasting:
            self.wrong(f"{self.harmed} clients were harmed")
        for s in self.sockets:
            s.close()
        if not gone:
            self.count(server)
        server.stop()

    def next_is(self, well):
        """Served well; should it be the one whom the fault meets, another."""
        before = self.met
        if well():
            return True
        if before or not self.met or self.passing:
            return False
        self.harmed += 1
        return self.may_end() or well()

    def may_end(self):
        """Out of memory ends a process; so do its own standard streams."""
        return self.call in ("memory", "read", "write")

    def count(self, server):
        until = time.monotonic() + SETTLE
        most = max(self.steady, server.before)
        now = server.descriptors()
        while self.fault and now > most and time.monotonic() < until:
            time.sleep(0.01)
            now = server.descriptors()
        if self.fault and now > most and not server.ended(0):
            self.wrong(f"{server.name} has {now} descriptors, not {most}")
        if not self.fault:
            time.sleep(0.2)
            self.steady = server.descriptors()

    def judge(self, complete):
        """complete: nothing was lost. Checks every process's end."""
        for p in self.processes:
            p.kill()
            if p.code < 0 and not (p.code == -15 and p.stopped):
                self.wrong(f"{p.name} was ended by signal {-p.code}")
            if p.cpu > (IDLE if self.lasting else CPU) and \
                    not self.what.startswith("short"):
                self.wrong(f"{p.name} took {p.cpu:.2f} s of CPU time")
            if p.faulted or self.fault is None:
                self.judge_code(p, complete)
            elif self.passing and not self.lasting and p.code != 0:
                self.wrong(f"{p.name} ended with {p.code}")
        self.judge_files()
        for helper in self.helpers:
            helper.kill()
            helper.wait()
        for s in self.sockets:
            s.close()

    def judge_code(self, p, complete):
        good = {0}
        if not self.passing or self.lasting:
            good = CODES[self.call] | self.also
            good |= {0} if complete or p.stopped else set()
        elif not complete and not p.stopped:
            self.wrong("not all arrived")
        if p.code not in good and not (p.code == -15 and p.stopped):
            self.wrong(f"{p.name} ended with {p.code}, not {sorted(good)}"
                       + ("" if complete else ", not all arrived"))
        if self.call == "write":
            return  # it may not be able to say so
        if p.code != 0 and not (p.text("err") or p.text("out") or
                                self.read("log")):
            self.wrong(f"{p.name} ended with {p.code} and said nothing")
        last = p.last_event()
        if last is None or self.call == "memory":
            return
        if last.get("event") != "summary" or \
                last.get("exit") != (p.code if p.code >= 0 else 128 - p.code):
            self.wrong(f"{p.name} ended with {p.code}, its last event is "
                       f"{last}")
        elif p.code > 0 and p.code not in FOUND.get(last["mode"], {ASSERT}) \
                and not last.get("error"):
            self.wrong(f"{p.name} ended with {p.code} without an error")

    def judge_files(self):
        """No temporary file is left."""
        for name in os.listdir(self.folder):
            if name.startswith("server.port.") or name.endswith(".tmp"):
                self.wrong(f"{name} was left")
