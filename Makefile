# sockctl: for GNU make, no configure step. `make help` lists the targets.

VERSION = 1.0.0
CC ?= cc
PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/sockctl
BASHCOMP ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMP ?= $(PREFIX)/share/zsh/site-functions
FISHCOMP ?= $(PREFIX)/share/fish/vendor_completions.d
DISTDIR ?= dist
T ?= 10
TESTS ?=

# Which file may include which: only what stands before it, or on its line.
# tests/check-layers reads this list; modes know all of it and never each
# other.
LAYERS = \
	err,mem,clock \
	buf,num,utf8,hash,json \
	addr,endpoint,cidr,rate,hist,term,cookie,ports,procnet \
	opt,field,template,outlet \
	complete,sockopt,sockrow,sockvalue,tcpinfo,event,report,refusal \
	loop,timers,hotset,signals \
	resolve,lookup,child,net,netopt,hint \
	io,match,crlf,pace,conn,hexdump,watch,postmortem \
	life,source,sink \
	listener,passive,unixpath,activation,proxy,race,dial,stream,dgram \
	flow,pump,near,ends,line,command \
	filename,below,confine,walk,xfer,part,meter,transfer,peer,incoming \
	senditem,sendside,recvitem,recvside,rawside,chatproto,floodproto,pattern,arrival,script,behave,play,playstep \
	workers,udpbulk

# Tests that measure time, or that scan all ports and so would meet the servers
# of others: run one by one, after all others.
ALONE = labs probe

# Flags. Each set of them has its own folder below build/.
STD = -std=c11 -D_FILE_OFFSET_BITS=64
SYSTEM = -D_GNU_SOURCE
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wundef -Wvla -Wformat=2 -Wimplicit-fallthrough \
	-Wnull-dereference
OPTIMIZE = -O2 -g
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LINK = -pie -Wl,-z,relro,-z,now
VARIANT =

# The sources ask _GNU_SOURCE: with it, all that Linux has; without, POSIX 2008
# and the portable twins. Other systems have only those.
ifneq ($(shell uname -s),Linux)
PORTABLE = 1
endif
ifdef PORTABLE
SYSTEM = -D_POSIX_C_SOURCE=200809L
VARIANT := $(VARIANT)-portable
endif
ifdef SAN
OPTIMIZE = -O1 -g -fno-omit-frame-pointer
HARDEN = -fsanitize=address,undefined -fno-sanitize-recover=all
LINK = -fsanitize=address,undefined
VARIANT := $(VARIANT)-san
endif
ifdef STATIC
# As small as it gets, for initramfs, containers, rescue disks: neither PIE nor
# canaries (musl has no _FORTIFY_SOURCE).
OPTIMIZE = -Oz -flto -flto-partition=one -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-inline-functions-called-once \
	-fno-jump-tables
HARDEN = -fno-pie -fno-stack-protector
LINK = -static -no-pie -s -Wl,--gc-sections -Wl,-z,noseparate-code \
	-Wl,-z,norelro
VARIANT := $(VARIANT)-static
endif
ifdef COVERAGE
# What it counts is written at the end, where recvfile may not write any more.
OPTIMIZE = -O0 -g --coverage
HARDEN = -DCONFINE_LANDLOCK=0
LINK = --coverage
VARIANT := $(VARIANT)-coverage
endif
ifdef FUZZ
OPTIMIZE = -O1 -g -fno-omit-frame-pointer
HARDEN = -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
LINK = -fsanitize=fuzzer,address,undefined
VARIANT := $(VARIANT)-fuzz
endif
ifdef WERROR
WARN += -Werror
endif

FLAGS = $(STD) $(SYSTEM) $(WARN) $(OPTIMIZE) $(HARDEN) \
	-DSOCKCTL_VERSION='"$(VERSION)"' $(CPPFLAGS) $(CFLAGS)
empty :=
OUT = build/$(subst $(empty) $(empty),_,$(notdir $(CC)))$(VARIANT)

SRC := $(wildcard sockctl.c modes/*.c util/*.c)
UTIL := $(patsubst %.c,$(OUT)/%.o,$(filter util/%,$(SRC)))
MAIN := $(patsubst %.c,$(OUT)/%.o,$(filter-out util/%,$(SRC)))
UNIT := $(patsubst tests/%.c,$(OUT)/%,$(wildcard tests/unit/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FAULT := $(OUT)/fault/fault.so
HELPERS := $(patsubst tests/%.c,$(OUT)/%,$(wildcard tests/helper/*.c))

ifndef V
MAKEFLAGS += --no-print-directory
Q = @
ifeq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
say = @printf '  %-5s %s\n' $(1) $(2)
endif
endif

all: $(OUT)/sockctl ## the program (the default)
	$Q[ sockctl -ef $< ] || ln -f $< sockctl 2>/dev/null || cp -f $< sockctl

# What every start runs stands side by side: 120 KiB less to map.
FIRST = sockctl $(addprefix util/,buf mem net sockopthelp sockrow)

$(OUT)/sockctl: $(FIRST:%=$(OUT)/%.o) $(MAIN) $(OUT)/util.a
	$(call say,LINK,$@)
	$Q$(CC) $(OPTIMIZE) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# An archive: a program links what it uses, a unit test no more than that.
$(OUT)/util.a: $(UTIL)
	$Qrm -f $@
	$Q$(AR) rcs $@ $^

$(OUT)/%.o: %.c $(OUT)/flags
	$(call say,CC,$<)
	$Qmkdir -p $(@D)
	$Q$(CC) $(FLAGS) -MMD -MP -c -o $@ $<

# Other flags or another compiler: everything is built again.
$(OUT)/flags: FORCE
	$Qmkdir -p $(@D)
	$Qprintf '%s\n' '$(CC) $(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(subst ','\'',$(FLAGS))' > $@

objects: $(MAIN) $(UTIL) ## compile, without linking

unit: $(UNIT) $(HELPERS) $(FAULT) $(FUZZERS:%=$(OUT)/replay/%) ## build the unit tests

$(OUT)/unit/%: tests/unit/%.c $(OUT)/util.a $(OUT)/flags
	$(call say,UNIT,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(FLAGS) -MMD -MP $(LINK) $(LDFLAGS) -o $@ $< $(OUT)/util.a \
		$(LDLIBS)

# Small programs that the tests use: peers that misbehave, wires.
$(OUT)/helper/%: tests/helper/%.c $(OUT)/util.a $(OUT)/flags
	$(call say,CC,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(FLAGS) -MMD -MP $(LINK) $(LDFLAGS) -o $@ $< $(OUT)/util.a \
		$(LDLIBS)

# Preloaded: makes a call of libc fail. It is like no libc's header in all.
$(OUT)/fault/%.so: tests/fault/%.c $(OUT)/flags
	$(call say,CC,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) -std=c11 -D_GNU_SOURCE $(filter-out -Wpedantic,$(WARN)) -O2 \
		$(if $(SAN),-DFAULT_NO_MEMORY) -fPIC -shared -o $@ $<

# A fuzz target with the main that only replays its corpus.
$(OUT)/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(OUT)/util.a $(OUT)/flags
	$(call say,FUZZ,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(FLAGS) -MMD -MP $(LINK) -o $@ $(filter %.c,$^) $(OUT)/util.a

$(OUT)/fuzz/%: tests/fuzz/%.c $(OUT)/util.a $(OUT)/flags
	$(call say,FUZZ,$@)
	$Qmkdir -p $(@D)
	$Q$(CC) $(FLAGS) -MMD -MP $(LINK) -o $@ $< $(OUT)/util.a

test: all unit ## all tests; TESTS='serve cli' chooses
	$QOUT=$(OUT) ALONE='$(ALONE)' tests/run $(TESTS)

demo: all ## serve and connect talk, a file goes each way
	$Qtests/demo.sh

picture: all ## the README's picture, from a session that runs
	$QSOCKCTL=$(OUT)/sockctl tests/picture man/session.svg

fuzz-targets: $(FUZZERS:%=$(OUT)/fuzz/%)

fuzz: ## every fuzz target for T seconds (clang)
	$Q$(MAKE) CC=clang FUZZ=1 fuzz-targets
	$QT=$(T) tests/fuzz/run build/clang-fuzz/fuzz

fault: all $(FAULT) ## fail each call of libc at each place; WALK=--help
	$Qnice tests/fault/walk.py $(OUT)/sockctl $(FAULT) build/fault $(WALK)

soak: all ## all modes at once for T seconds (600)
	$QT=$(if $(filter file,$(origin T)),600,$(T)) tests/soak

bench: all ## measure against other tools
	$QREPS='$(REPS)' AREAS='$(AREAS)' JSON='$(JSON)' SIZE='$(SIZE)' \
		tests/bench/run

growth: all ## what it costs as connections, hosts and files grow
	$Qtests/bench/growth

coverage: ## which lines the tests reach (gcov)
	$Q$(MAKE) COVERAGE=1 test
	$Qtests/coverage $(subst $(VARIANT),,$(OUT))-coverage

lint: check-layers ## formatting, static analysis, shell scripts, man pages
	$Qtests/lint '$(STD) $(SYSTEM)'

check-layers: ## the order of the modules, and their sizes
	$Qtests/check-layers $(LAYERS)

format: ## clang-format decides
	$Qclang-format -i $$(git ls-files '*.c' '*.h')

PAGES = $(wildcard man/*.1 man/*.7)
EXAMPLES = $(wildcard man/examples/*)
EXAMPLEDIR = $(DESTDIR)$(DOCDIR)/examples
BIN = $(DESTDIR)$(PREFIX)/bin

install: all ## PREFIX, DESTDIR, MANDIR, DOCDIR
	$Qinstall -d '$(BIN)' '$(DESTDIR)$(BASHCOMP)' '$(DESTDIR)$(ZSHCOMP)' \
		'$(DESTDIR)$(FISHCOMP)' '$(DESTDIR)$(MANDIR)/man1' \
		'$(DESTDIR)$(MANDIR)/man7' '$(EXAMPLEDIR)'
	$Qinstall -m 755 $(OUT)/sockctl '$(BIN)/sockctl'
	$Qfor page in $(PAGES); do install -m 644 "$$page" \
		"$(DESTDIR)$(MANDIR)/man$${page##*.}/" || exit 1; done
	$Qinstall -m 644 $(EXAMPLES) '$(EXAMPLEDIR)'
	$Q$(RUN) $(OUT)/sockctl completion bash > '$(DESTDIR)$(BASHCOMP)/sockctl'
	$Q$(RUN) $(OUT)/sockctl completion zsh > '$(DESTDIR)$(ZSHCOMP)/_sockctl'
	$Q$(RUN) $(OUT)/sockctl completion fish \
		> '$(DESTDIR)$(FISHCOMP)/sockctl.fish'

uninstall: ## leaves nothing behind
	$Qrm -f '$(BIN)/sockctl' '$(DESTDIR)$(BASHCOMP)/sockctl' \
		'$(DESTDIR)$(ZSHCOMP)/_sockctl' \
		'$(DESTDIR)$(FISHCOMP)/sockctl.fish'
	$Qfor page in $(PAGES); do \
		rm -f "$(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}"; done
	$Qrm -f $(EXAMPLES:man/examples/%='$(EXAMPLEDIR)/%')
	$Qrmdir '$(EXAMPLEDIR)' '$(DESTDIR)$(DOCDIR)' 2> /dev/null || :

# musl-gcc knows libc's headers only; those of the kernel are the system's.
static: ## one file that needs no library (musl-gcc)
	$Q$(MAKE) CC=musl-gcc STATIC=1 CPPFLAGS="$(CPPFLAGS) \
		-idirafter /usr/include \
		-idirafter /usr/include/$$(cc -print-multiarch)" all

cross: ## for 64 bit, 32 bit and big-endian machines, run by qemu-user
	$Q.ci/cross

dist: ## a tarball, the same bytes each time
	$Qmkdir -p '$(DISTDIR)'
	$Qgit archive --prefix=sockctl-$(VERSION)/ HEAD | gzip -9n \
		> '$(DISTDIR)/sockctl-$(VERSION).tar.gz'
	@echo $(DISTDIR)/sockctl-$(VERSION).tar.gz

deb: all ## a Debian package
	$QVERSION=$(VERSION) DISTDIR='$(DISTDIR)' .ci/deb

html: ## the man pages for a browser
	$Q.ci/html build/html

clean: ## remove what was built
	$Qrm -rf build dist coverage sockctl

help: ## this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | \
		awk -F '\t' '{ printf "  %-13s %s\n", $$1, $$2 }'
	@echo "  variables: V=1 SAN=1 PORTABLE=1 WERROR=1 CC PREFIX DESTDIR MANDIR DOCDIR"

FORCE:
.DELETE_ON_ERROR:
.PHONY: FORCE all objects unit test demo picture fuzz fuzz-targets fault soak bench growth coverage lint \
	check-layers format install uninstall static cross dist deb html clean help

# Written by the compiler: which object needs which header.
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
