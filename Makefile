# dynamo: DynamoDB inside PostgreSQL.
#
#   make run       everything from nothing: a private cluster with the endpoint
#   make test      every test
#   make && sudo make install     into an existing PostgreSQL
#
# Sources and tests are found by wildcard; adding a file needs no edit here.

MODULE_big = dynamo
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))
EXTENSION = dynamo
DATA = $(wildcard sql/dynamo--*.sql)

PG_CPPFLAGS = -Isrc
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-sign-compare
SHLIB_LINK = -lcjson -lcrypto -lz

REGRESS = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test
ISOLATION = $(sort $(basename $(notdir $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Every object depends on every header: a whole build takes seconds.
$(OBJS): $(wildcard src/*/*.h)
