# dynamo: DynamoDB inside PostgreSQL.
#
#   make run       from nothing to a running endpoint, in a private cluster
#                  (SSL=1: by TLS, with a certificate made for it)
#   make test      every test
#   make && sudo make install     into an existing PostgreSQL
#
# Sources and tests are found by wildcard; adding a file needs no edit here.
# docs/development.md describes every target.

MODULE_big = dynamo
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))
EXTENSION = dynamo
DATA = $(wildcard sql/dynamo--*.sql)

PG_CPPFLAGS = -Isrc
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-sign-compare
SHLIB_LINK = -lcjson -lssl -lcrypto -lz -ldeflate

# make SANITIZE=1: undefined behaviour aborts the process.  Any other value goes
# to -fsanitize as it is (address,undefined).
ifdef SANITIZE
sanitizers = $(patsubst 1,undefined,$(SANITIZE))
PG_CFLAGS += -fsanitize=$(sanitizers) -fno-sanitize-recover=all -fno-omit-frame-pointer
SHLIB_LINK += -fsanitize=$(sanitizers)
endif

REGRESS = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --load-extension=dynamo
ISOLATION = $(sort $(basename $(notdir $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test --load-extension=dynamo

EXTRA_CLEAN = .build results output_iso regression.diffs regression.out

# Bitcode would let the JIT inline our functions, for twice the build.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

ifneq ($(PGXS),)
include $(PGXS)

# Every object depends on every header, on how it was compiled and with what: a whole
# build takes seconds, a stale object hours.
$(OBJS): $(wildcard src/*/*.h) .build/flags
export BUILD_FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(OBJS)
.build/flags: FORCE
	@mkdir -p .build; printf '%s\n' "$$BUILD_FLAGS" | cmp -s - $@ || printf '%s\n' "$$BUILD_FLAGS" > $@
.PHONY: FORCE
else
all install installcheck:
	@echo "$(PG_CONFIG) knows no PostgreSQL server headers:" \
		"install postgresql-server-dev-15, or say make PG_CONFIG=/path/to/pg_config" >&2; exit 1
clean:
	rm -rf $(OBJS) dynamo.so $(EXTRA_CLEAN)
endif

# From here on: targets that bring what they need, on Debian.  They use Debian's
# PostgreSQL 15 unless PG_CONFIG says otherwise.
ifneq ($(filter command line environment,$(origin PG_CONFIG)),)
export PG_CONFIG
else
own-pg: export PG_CONFIG = /usr/lib/postgresql/15/bin/pg_config
endif
export SANITIZE SSL
PORT ?= 8000
SUITES ?=
ARGS ?=

# In a make of their own: when this one was read, pg_config was perhaps not there.
own = @$(MAKE) --no-print-directory own-pg do='$(1)'
own-pg:
	@$(do)

run:
	@scripts/needs run
	$(call own,scripts/install && scripts/cluster run $(PORT))
stop env psql reset:
	$(call own,scripts/cluster $@ $(ARGS))

test:
	@scripts/needs test
	$(call own,scripts/test $(SUITES) $(if $(ARGS),-- $(ARGS)))
coverage:
	@scripts/needs test
	$(call own,scripts/test api members)
test-kill:
	@scripts/needs test
	$(call own,KILLS=20 scripts/test api -- -k test_kill)
test-clients:
	@scripts/needs clients
	$(call own,scripts/test python javascript go rust java)
test-model:
	@scripts/needs test
	$(call own,scripts/install && .venv/bin/python test/api/operation_model.py $(ARGS))
test-policies:
	@scripts/needs test
	$(call own,CASES=500000 scripts/test api -- -s -k policy_model $(ARGS))
test-hostile:
	@scripts/needs test
	$(call own,scripts/install && .venv/bin/python test/hostile/hostile.py $(ARGS))
test-bank:
	@scripts/needs test
	$(call own,scripts/test api -- -s -k test_bank $(ARGS))
test-streams:
	@scripts/needs test
	$(call own,scripts/install && .venv/bin/python test/api/stream_replay.py $(ARGS))
soak:
	@scripts/needs test
	$(call own,scripts/install && .venv/bin/python test/soak/soak.py $(ARGS))
demo:
	@scripts/needs demo
	$(call own,scripts/demo $(ARGS))
bench:
	@scripts/needs bench
	$(call own,scripts/install && bench/run $(ARGS))
bench-scale:
	@scripts/needs bench
	$(call own,scripts/install && bench/scale $(ARGS))
bench-jobs:
	@scripts/needs bench
	$(call own,scripts/install && $(MAKE) -s -C bench && bench/jobs $(ARGS))
profile:
	@scripts/needs bench
	$(call own,scripts/install && bench/profile $(ARGS))
check-cost:
	@scripts/needs cost
	$(call own,scripts/install && bench/cost $(ARGS))
fuzz:
	$(MAKE) -C test/fuzz run

check-layers:
	@python3 .ci/check_layers.py
check-sql:
	@python3 .ci/check_sql.py
check-docs:
	@python3 .ci/check_docs.py
headerscheck:
	@scripts/headerscheck

.PHONY: own-pg run stop env psql reset test coverage test-kill test-bank test-streams test-clients test-model test-policies test-hostile soak demo bench bench-jobs bench-scale profile check-cost fuzz \
	check-layers check-sql check-docs headerscheck
