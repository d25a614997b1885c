"""events.py MAN FILE...: what the pages leave out of the events in FILE.

Each FILE has lines of --json; MAN is the folder of the pages. An event stands
in EVENTS of its mode's page (.Cm), its members (.Va) there or with the event in
sockctl.1. Says what is missing, and fails then.
"""
import json
import re
import sys

man, files = sys.argv[1], sys.argv[2:]


def events_of(page):
    text = open("%s/%s.1" % (man, page)).read()
    return re.search(r'^\.Sh EVENTS\n(.*?)^\.Sh', text, re.M | re.S)[1]


def words(text, macro):
    lines = re.findall(r'^\.(?:It )?%s (.*)' % macro, text, re.M)
    return set(re.findall(r'[a-z][a-z0-9_-]*', ' '.join(lines)))


def inside(value):
    """The names of members, those of nested objects too."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from inside(member)
    elif isinstance(value, list):
        for member in value:
            yield from inside(member)


# Each item of sockctl.1: its events and their members.
shared = events_of("sockctl")
lead, *items = re.split(r'^\.It (?=Cm)', shared, flags=re.M)
always = words(lead, "Va")
known = {}
for item in items:
    head, _, rest = item.partition("\n")
    for event in re.findall(r'[a-z-]+', head):
        known[event] = words(rest, "Va")
missing, seen = set(), set()
for name in files:
    for line in open(name):
        told = json.loads(line)
        mode, event = told["mode"], told["event"]
        page = events_of("sockctl-" + mode)
        seen.add(mode + " " + event)
        if event not in words(page, "Cm"):
            missing.add("sockctl-%s.1: no event %s" % (mode, event))
        for member in set(inside(told)) - always - known[event]:
            if member not in words(page, "Va"):
                missing.add("%s: %s has %s" % (mode, event, member))
print("\n".join(sorted(missing)))
print(", ".join(sorted(seen)))
sys.exit(bool(missing))
