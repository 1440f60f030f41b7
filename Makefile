# SPDX-License-Identifier: BSD-2-Clause
#
# make            the command-line tool build/EventsTrace, the library, the examples, the test programs
# make check      tests that need no root; scripts/check runs all tests
# make install    DESTDIR and PREFIX as usual
# make uninstall
# make clean
# make arm64      all that make builds, for arm64, in build/arm64; scripts/setup arm64 installs what that needs
#
# V=1 shows the commands.

VERSION := $(shell sed -n 's/^.define EBPF_EVENTS_VERSION "\(.*\)"/\1/p' non-GPL/Events/Lib/include/EbpfEvents.h)
# While the version is 0.x, its structs may differ from one minor version to the next.
VERSION_WORDS := $(subst ., ,$(VERSION))
SONAME := libebpf-events.so.$(firstword $(VERSION_WORDS))$(if $(filter 0.%,$(VERSION)),.$(word 2,$(VERSION_WORDS)))

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
DESTDIR ?=

# For another processor: CROSS_COMPILE=aarch64-linux-gnu- (make arm64), or the tools one by one.
ifneq ($(CROSS_COMPILE),)
CC := $(CROSS_COMPILE)gcc
LD := $(CROSS_COMPILE)ld
AR := $(CROSS_COMPILE)ar
OBJCOPY := $(CROSS_COMPILE)objcopy
endif

# For programs that run during the build, even if CC compiles for another machine.
BUILD_CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(or $(shell scripts/find-bpftool),bpftool)
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy

BUILD := build
GPL := GPL/Events
LIB := non-GPL/Events/Lib
CLI := non-GPL/Events/EventsTrace

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes
# The compiler may define a level, and the user another one.
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDEN = -fstack-protector-strong $(FORTIFY)
INCLUDES := -I$(GPL) -I$(LIB)/include -I$(LIB) -I$(BUILD)/gen
USER_CFLAGS = $(CPPFLAGS) $(CFLAGS) -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) $(HARDEN) \
	$(INCLUDES) -MMD -MP
# "ld -r" and objcopy, which hide the library's internal names, do not work on the output of link-time optimization.
LIB_CFLAGS = $(USER_CFLAGS) -fno-lto

# The processor, as libbpf's headers name it.
TARGET := $(shell $(CC) -dumpmachine)
TARGET_ARCH := $(or $(if $(filter x86_64-%,$(TARGET)),x86),$(if $(filter aarch64-%,$(TARGET)),arm64), \
	$(error $(CC) compiles for '$(TARGET)': only x86_64 and aarch64 are supported))

# -mcpu=v3: the verifier of 5.10 tracks bounds best in its code. The UAPI headers are the C library's.
ARCH_INCLUDE := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(TARGET_ARCH) -D__bpf__ -I/usr/include/$(ARCH_INCLUDE) \
	-Wall -Wextra -Wno-unused-parameter -Wno-missing-declarations -MMD -MP

# libbpf, libelf and its dependencies are linked statically, so that the binary runs where they are not installed. The
# libelf.a of elfutils 0.192 (Debian 13) lacks a few functions, for which we have replacements. If libelf.a is missing,
# or still cannot be linked, the shared libraries are used, and make says so.
LIBELF := -lelf -lz $(if $(filter -lzstd,$(shell $(PKG_CONFIG) --static --libs libelf 2>/dev/null)),-lzstd)
LIBELF_SEARCH := $(LIB)/Compat/LibelfSearch.c
can_link = $(shell echo 'int main(void) { return elf_end(elf_begin(0, ELF_C_READ, 0)); }' | \
	$(CC) -D_GNU_SOURCE -include libelf.h -x c - $(1) -x none -o /dev/null \
		-Wl,-Bstatic $(LIBELF) -Wl,-Bdynamic 2>/dev/null \
	&& echo yes)
LIBELF_IS_STATIC := $(call can_link)
ifneq ($(LIBELF_IS_STATIC),yes)
LIBELF_IS_STATIC := $(call can_link,$(LIBELF_SEARCH))
LIBELF_REST := $(if $(LIBELF_IS_STATIC),$(BUILD)/lib/Compat/LibelfSearch.o)
endif
STATIC_LIBS := -lbpf $(LIBELF)
LINK_LIBS := $(LIBELF_REST) -Wl,-Bstatic -lbpf $(if $(LIBELF_IS_STATIC),$(LIBELF)) -Wl,-Bdynamic \
	$(if $(LIBELF_IS_STATIC),,-lelf -lz)

# The first one defines the maps that the others use: libbpf's linker (1.1) misplaces a map that is used before that.
BPF_FIRST := $(GPL)/Core/Probe.bpf.c
BPF_SRCS := $(BPF_FIRST) $(filter-out $(BPF_FIRST),$(wildcard $(GPL)/*/*.bpf.c))
BPF_OBJS := $(BPF_SRCS:$(GPL)/%.bpf.c=$(BUILD)/bpf/%.o)
LIB_SRCS := $(wildcard $(LIB)/*.c $(LIB)/Bpf/*.c $(LIB)/Bpf/*/*.c $(LIB)/Tracefs/*.c)
LIB_OBJS := $(LIB_SRCS:$(LIB)/%.c=$(BUILD)/lib/%.o)
CLI_SRCS := $(wildcard $(CLI)/*.c)
CLI_OBJS := $(CLI_SRCS:$(CLI)/%.c=$(BUILD)/cli/%.o)
GUEST_SRCS := $(wildcard testing/cases/*.c testing/system/*.c testing/bench/*.c)
GUEST_PROGS := $(addprefix $(BUILD)/tests/,$(notdir $(GUEST_SRCS:.c=))) $(BUILD)/tests/EventsTrace-odd-hooks \
	$(BUILD)/tests/EventsTrace-poison \
	$(BUILD)/tests/refuse.so $(BUILD)/tests/plugin-host $(BUILD)/tests/libebpf-events.so
EXAMPLES := $(patsubst examples/%.c,$(BUILD)/examples/%,$(wildcard examples/*.c))
SKELETON := $(BUILD)/gen/EbpfProbes.skel.h
HEADER := $(BUILD)/include/EbpfEvents.h # the only one that a program needs

.PHONY: all arm64 check install uninstall clean unit FORCE
.DELETE_ON_ERROR:
.SECONDARY:

PRODUCTS := $(HEADER) $(BUILD)/EventsTrace $(BUILD)/libebpf-events.a $(BUILD)/$(SONAME) $(BUILD)/ebpf-events.pc

all: $(PRODUCTS) $(GUEST_PROGS) $(EXAMPLES) $(BUILD)/lists/GUEST_PROGS

arm64:
	$(Q)$(MAKE) --no-print-directory CROSS_COMPILE=aarch64-linux-gnu- BUILD=$(BUILD)/arm64 all

# lists/VAR holds $(VAR) and is touched only when it changes, so a target built from all of VAR can depend on it. Files
# that are no longer in VAR are removed.
$(BUILD)/lists/%: FORCE
	@mkdir -p $(@D)
	@echo '$($*)' | cmp -s - $@ || { touch $@; for old in $$(cat $@); do \
		case ' $($*) ' in *" $$old "*) ;; *) rm -f "$$old" ;; esac; done; echo '$($*)' > $@; }

# Checked before anything is compiled: an older libbpf causes errors of many kinds, or a program that crashes.
LIBBPF_IS_NEW := $(BUILD)/libbpf-is-new
$(LIBBPF_IS_NEW):
	@mkdir -p $(@D)
	@printf '\043include <bpf/libbpf.h>\n\043if LIBBPF_MAJOR_VERSION < 1\n\043error\n\043endif\n' | \
		$(CC) $(CPPFLAGS) $(CFLAGS) -E -x c -o $@ - 2>/dev/null || { rm -f $@; \
		echo 'Makefile: libbpf 1.0 or newer is needed: Debian 12, Ubuntu 24.04 and later have it (libbpf-dev)' >&2; exit 1; }

# --- probes ---------------------------------------------------------------------------------------------------------

$(BUILD)/bpf/%.o: $(GPL)/%.bpf.c | $(LIBBPF_IS_NEW)
	$(say) CLANG $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

# Without the table of source lines: libbpf keeps it for each program, which takes half a megabyte and is used only in
# the verifier's log. BPF_LINES=1 preserves it.
$(BUILD)/bpf/EbpfProbes.o: $(BPF_OBJS) $(BUILD)/lists/BPF_OBJS
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $(BPF_OBJS)
	$(Q)test -n "$(BPF_LINES)" || scripts/cut-bpf-lines $@

$(SKELETON): $(BUILD)/bpf/EbpfProbes.o
	$(say) SKEL $@
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name EbpfProbes > $@

# --- library --------------------------------------------------------------------------------------------------------

$(BUILD)/lib/%.o: $(LIB)/%.c | $(SKELETON)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/lib/Bpf/Object/Object.o: $(SKELETON)

# One object in which the internal names are local, so that they cannot clash with an embedder's.
$(BUILD)/libebpf-events.a: $(LIB_OBJS) $(BUILD)/lists/LIB_OBJS
	$(say) AR $@
	$(Q)$(LD) -r -o $(BUILD)/lib/all.o $(LIB_OBJS)
	$(Q)$(OBJCOPY) --localize-hidden $(BUILD)/lib/all.o
	$(Q)rm -f $@ && $(AR) rcs $@ $(BUILD)/lib/all.o

$(BUILD)/$(SONAME): $(LIB_OBJS) $(LIB)/EbpfEvents.map $(BUILD)/lists/LIB_OBJS
	$(say) LD $@
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(LIB)/EbpfEvents.map \
		-Wl,-z,relro,-z,now,-z,defs,-z,nodelete $(LDFLAGS) -o $@ $(LIB_OBJS) -lbpf
	$(Q)ln -sf $(SONAME) $(BUILD)/libebpf-events.so

$(BUILD)/gen/gen-header: scripts/gen-header.c $(wildcard $(GPL)/*.def $(GPL)/*.h)
	@mkdir -p $(@D)
	$(Q)$(BUILD_CC) -O1 -std=gnu11 $(WARNINGS) -I$(GPL) -o $@ $<

$(HEADER): $(BUILD)/gen/gen-header $(LIB)/include/EbpfEvents.h $(GPL)/EbpfEventProto.h
	$(say) GEN $@
	@mkdir -p $(@D)
	$(Q)$^ > $@

# Always: PREFIX may have changed since the last time.
$(BUILD)/ebpf-events.pc: $(LIB)/ebpf-events.pc.in FORCE
	$(say) GEN $@
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|; s|@STATIC@|$(STATIC_LIBS)|' $< > $@

# --- command line tool ----------------------------------------------------------------------------------------------

$(BUILD)/cli/%.o: $(CLI)/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -c $< -o $@

$(BUILD)/EventsTrace: $(CLI_OBJS) $(BUILD)/libebpf-events.a $(LIBELF_REST) $(BUILD)/lists/CLI_OBJS
	$(say) LD $@
	$(if $(LIBELF_IS_STATIC),,@echo 'Makefile: no libelf.a can be linked: $@ needs the shared libelf and libz')
	$(Q)$(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now $(LDFLAGS) -o $@ $(CLI_OBJS) $(BUILD)/libebpf-events.a $(LINK_LIBS)

# --- examples and tests ---------------------------------------------------------------------------------------------

# With the installed header, as other programs are compiled.
$(BUILD)/examples/%: examples/%.c $(HEADER) $(BUILD)/libebpf-events.a | $(LIBELF_REST)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -std=gnu11 $(WARNINGS) -I$(BUILD)/include -o $@ $(filter-out %.h,$^) $(LINK_LIBS)

# Static: they run in guests, on older and newer kernels than this machine's.
vpath %.c testing/cases testing/system testing/bench
$(BUILD)/tests/%: %.c $(wildcard testing/cases/*.h)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -static -pthread -o $@ $<

$(BUILD)/tests/lib-%: testing/system/lib-%.c $(HEADER) $(BUILD)/libebpf-events.a | $(LIBELF_REST)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I$(BUILD)/include -o $@ $(filter-out %.h,$^) $(LINK_LIBS)

# The tool with another table of hooks, which is found before the real one.
$(BUILD)/gen/odd-hooks/Hooks.def: testing/system/odd-hooks.sed $(GPL)/Hooks.def
	@mkdir -p $(@D)
	$(Q)sed -f $^ >$@

ODD_HOOKS := $(addprefix $(BUILD)/tests/,Hooks-odd.o HookTable-odd.o)
$(ODD_HOOKS): $(BUILD)/tests/%-odd.o: $(LIB)/Bpf/Object/%.c $(BUILD)/gen/odd-hooks/Hooks.def
	@mkdir -p $(@D)
	$(Q)$(CC) -iquote $(BUILD)/gen/odd-hooks $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/tests/EventsTrace-odd-hooks: $(ODD_HOOKS) $(CLI_OBJS) $(LIB_OBJS) | $(LIBELF_REST)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out %/Object/Hooks.o %/Object/HookTable.o,$^) $(LINK_LIBS)

# The tool whose records are poisoned before a probe fills them.
$(BUILD)/tests/Object-poison.o: $(LIB)/Bpf/Object/Object.c $(BUILD)/lib/Bpf/Object/Object.o
	@mkdir -p $(@D)
	$(Q)$(CC) -DEBPF_POISON=1 $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/tests/EventsTrace-poison: $(BUILD)/tests/Object-poison.o $(CLI_OBJS) $(LIB_OBJS) | $(LIBELF_REST)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out %/Object/Object.o,$^) $(LINK_LIBS)

$(BUILD)/tests/refuse.so: testing/system/refuse/refuse.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -shared -fPIC -o $@ $< -ldl

# A program with its own libbpf, and the library for it to open.
$(BUILD)/tests/plugin-host: testing/system/plugin/plugin-host.c $(HEADER)
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I$(BUILD)/include -pthread -o $@ $< -lbpf -ldl

$(BUILD)/tests/libebpf-events.so: $(BUILD)/$(SONAME)
	@mkdir -p $(@D)
	$(Q)cp $< $@

# Unit tests and the fuzzer's own loop, with the parts of the library that need no libbpf, under ASan and UBSan. They
# have a backend of their own instead of BackendOpen.c, which chooses one.
UNIT_LIB := $(filter-out $(LIB)/BackendOpen.c,$(wildcard $(LIB)/*.c $(LIB)/Bpf/Select/*.c $(LIB)/Tracefs/*.c)) \
	$(addprefix $(LIB)/Bpf/,Kernel/Cgroups.c Kernel/Host.c Kernel/KernelBtf.c Kernel/KprobeLink.c Kernel/Preflight.c \
	Object/Hooks.c Object/HookTable.c Object/HookUse.c Object/Forced.c Object/MapRefs.c Object/Origins.c Object/Prune.c \
	Object/PruneState.c Object/Untype.c)
UNIT_HELP := $(filter-out testing/unit/test-%,$(wildcard testing/unit/*.c))
UNIT_OBJS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(UNIT_LIB) $(UNIT_HELP))
UNIT_SRCS := $(filter-out scripts/gen-header.c testing/unit/test-backend-open.c, \
	$(wildcard testing/unit/test-*.c testing/fuzz/*.c testing/golden/*.c scripts/*.c))
UNIT_BINS := $(addprefix $(BUILD)/unit/,$(notdir $(UNIT_SRCS:.c=)))
UNIT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	$(WARNINGS) -Werror $(INCLUDES) -Itesting/unit -MMD -MP

$(BUILD)/unit/obj/%.o: %.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_CFLAGS) -c $< -o $@

# The object of a program's own source, in whichever folder.
unit_object = $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(filter %/$(notdir $(1)).c,$(UNIT_SRCS)))

.SECONDEXPANSION:
$(UNIT_BINS): $$(call unit_object,$$@) $(UNIT_OBJS) $(BUILD)/lists/UNIT_OBJS
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $(filter %.o,$^)

# The choice between backends that the test makes up.
OPEN_OBJS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,testing/unit/test-backend-open.c $(LIB)/BackendOpen.c)

$(BUILD)/unit/test-backend-open: $(OPEN_OBJS)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $^

$(BUILD)/unit/test-output: $(BUILD)/unit/obj/$(CLI)/Writer.o
$(BUILD)/unit/test-options: $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(wildcard $(CLI)/Option*.c $(CLI)/Suggest.c))

# The backend that loads the probes, with a kernel that the test makes up: the calls that reach the kernel go to the
# test. The probes' object is the real one.
KERNEL_CALLS := bpf_map__fd bpf_map_delete_elem bpf_map_update_elem bpf_obj_get_info_by_fd bpf_prog_test_run_opts \
	bpf_program__fd epoll_ctl instances__join instances__others libbpf_num_possible_cpus links__attach \
	links__attach_early links__detach_all load__object preflight__check preflight__kernel_preempts probes__leave_out \
	trials__run
BACKEND_OBJS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(LIB_SRCS) testing/unit/bpf/fake-kernel.c)
BACKEND_TESTS := $(BUILD)/unit/test-backend $(BUILD)/unit/test-lacks
TARGETS_OBJS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(LIB_SRCS) testing/unit/bpf/test-targets.c)

$(addprefix $(BUILD)/unit/obj/,$(LIB)/Bpf/Object/Object.o testing/unit/bpf/test-targets.o): $(SKELETON)
$(BUILD)/unit/obj/$(LIB)/Bpf/Object/Refused.o: UNIT_CFLAGS += -Wno-format-truncation # gcc cannot see at -O1 what fits

$(BACKEND_TESTS): $(BUILD)/unit/%: $(BUILD)/unit/obj/testing/unit/bpf/%.o $(BACKEND_OBJS) $(BUILD)/lists/BACKEND_OBJS
	$(Q)$(CC) -fsanitize=address,undefined $(KERNEL_CALLS:%=-Wl,--wrap=%) -o $@ $(filter %.o,$^) -lbpf

# The targets of the real programs, in types that the test makes up.
$(BUILD)/unit/test-targets: $(TARGETS_OBJS) $(BUILD)/lists/TARGETS_OBJS
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $(filter %.o,$^) -lbpf

# The tool with events from a test backend.
TOOL_OBJS := $(patsubst %.c,$(BUILD)/unit/obj/%.o,$(UNIT_LIB) $(CLI_SRCS) testing/tool/tool-backend.c)

$(BUILD)/unit/EventsTrace: $(TOOL_OBJS) $(BUILD)/lists/TOOL_OBJS
	$(say) LD $@
	$(Q)$(CC) -fsanitize=address,undefined -pthread -o $@ $(filter %.o,$^)

unit: $(UNIT_BINS) $(BUILD)/lists/UNIT_BINS $(BUILD)/unit/test-backend-open $(BACKEND_TESTS) \
	$(BUILD)/unit/test-targets $(BUILD)/unit/EventsTrace

check: all unit
	$(Q)testing/run-unit

# What the header and the manual pages refer to, and what these refer to.
DOCS := docs/COMPATIBILITY.md docs/HOOKS.md docs/MIGRATING.md docs/events.md
DOCDIR := $(PREFIX)/share/doc/ebpf-events

install: $(PRODUCTS)
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/include/ebpf-events \
		$(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/man/man3 $(DESTDIR)$(DOCDIR)
	install -m 755 $(BUILD)/EventsTrace $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 $(BUILD)/libebpf-events.a $(DESTDIR)$(LIBDIR)/
	install -m 755 $(BUILD)/$(SONAME) $(DESTDIR)$(LIBDIR)/
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libebpf-events.so
	install -m 644 $(BUILD)/ebpf-events.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 $(HEADER) $(DESTDIR)$(PREFIX)/include/ebpf-events/
	install -m 644 docs/EventsTrace.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 docs/ebpf-events.3 $(DESTDIR)$(PREFIX)/share/man/man3/
	install -m 644 $(DOCS) $(DESTDIR)$(DOCDIR)/

uninstall:
	rm -f $(addprefix $(DESTDIR),$(PREFIX)/sbin/EventsTrace $(LIBDIR)/libebpf-events.a $(LIBDIR)/$(SONAME) \
		$(LIBDIR)/libebpf-events.so $(LIBDIR)/pkgconfig/ebpf-events.pc $(PREFIX)/include/ebpf-events/EbpfEvents.h \
		$(PREFIX)/share/man/man8/EventsTrace.8 $(PREFIX)/share/man/man3/ebpf-events.3 \
		$(addprefix $(DOCDIR)/,$(notdir $(DOCS))))
	rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/include/ebpf-events $(DESTDIR)$(DOCDIR)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
