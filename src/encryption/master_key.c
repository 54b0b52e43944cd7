/*-------------------------------------------------------------------------
 *
 * master_key.c
 *		Read the master keys from a file or from a command's output.
 *
 * Nothing here raises an error or quotes what was read: a server whose keys are
 * not to be had serves the tables that need none, and a line with a mistake in it
 * may be most of a key.
 *
 * src/encryption/master_key.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port.h"
#include "storage/fd.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/settings.h"
#include "encryption/master_key.h"

/* Room for some hundreds of keys. */
#define MAX_TEXT_SIZE (64 * 1024)

/* Where there are none, they are looked for again after so long. */
#define RETRY_MS 5000

static DynMasterKey *keys = NULL;
static int	nkeys = 0;
static uint64 generation = 0;
static TimestampTz read_at = 0;
static TimestampTz configuration = 0;	/* PgReloadTime when they were read */
static char trouble[256];		/* "": there is none */

static void
note_trouble(const char *format,...) pg_attribute_printf(1, 2);

static void
note_trouble(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(trouble, sizeof(trouble), format, arguments);
	va_end(arguments);
}

static void
forget(void)
{
	if (keys != NULL)
	{
		OPENSSL_cleanse(keys, nkeys * sizeof(DynMasterKey));
		pfree(keys);
	}
	keys = NULL;
	nkeys = 0;
	generation++;
}

/* As for ssl_key_file: nobody else may read it. */
static bool
check_file(const char *path)
{
	struct stat st;
	char		canonical[MAXPGPATH];

	strlcpy(canonical, path, sizeof(canonical));
	canonicalize_path(canonical);
	if (!is_absolute_path(canonical) || path_is_prefix_of_path(DataDir, canonical))
	{
		note_trouble("dynamo.master_key_file is not an absolute path outside of the data directory: a backup of that would have the keys, too.");
		return false;
	}
	if (stat(path, &st) != 0)
	{
		note_trouble("File \"%s\" cannot be accessed: %s.", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode))
	{
		note_trouble("File \"%s\" is not a regular file.", path);
		return false;
	}
	if (st.st_uid != geteuid() && st.st_uid != 0)
	{
		note_trouble("File \"%s\" must be owned by the database user or root.", path);
		return false;
	}
	if (st.st_mode & (st.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO))
	{
		note_trouble("File \"%s\" has group or world access; it should have u=rw (0600) or less if owned by the database user, or u=rw,g=r (0640) or less if owned by root.",
					 path);
		return false;
	}
	return true;
}

/* All of a stream; false if it is not text, or too long. */
static bool
read_stream(FILE *stream, char *text)
{
	size_t		size = fread(text, 1, MAX_TEXT_SIZE, stream);

	text[size] = '\0';
	return !ferror(stream) && size < MAX_TEXT_SIZE && strlen(text) == size;
}

static bool
read_file(const char *path, char *text)
{
	FILE	   *file;
	bool		good;

	if (!check_file(path))
		return false;
	file = AllocateFile(path, PG_BINARY_R);
	if (file == NULL)
	{
		note_trouble("File \"%s\" cannot be opened: %s.", path, strerror(errno));
		return false;
	}
	/* No copy of it in the library's buffer. */
	setvbuf(file, NULL, _IONBF, 0);
	good = read_stream(file, text);
	FreeFile(file);
	if (!good)
		note_trouble("File \"%s\" cannot be read, or is no text of less than 64 KB.", path);
	return good;
}

static bool
read_command(const char *command, char *text)
{
	FILE	   *pipe = OpenPipeStream(command, PG_BINARY_R);
	bool		good;
	int			status;

	if (pipe == NULL)
	{
		note_trouble("dynamo.master_key_command could not be run: %s.", strerror(errno));
		return false;
	}
	setvbuf(pipe, NULL, _IONBF, 0);
	good = read_stream(pipe, text);
	status = ClosePipeStream(pipe);
	if (status != 0)
		note_trouble("dynamo.master_key_command failed: %s.", wait_result_to_str(status));
	else if (!good)
		note_trouble("The output of dynamo.master_key_command is no text of less than 64 KB.");
	return status == 0 && good;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "id 64-digits"; behind end stands at least a line's end, or the text's. */
static bool
parse_line(const char *line, const char *end, DynMasterKey *key)
{
	size_t		len = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
	size_t		blanks = strspn(line + len, " \t");

	if (len == 0 || len > DYN_MASTER_KEY_ID_LENGTH || blanks == 0)
		return false;
	memcpy(key->id, line, len);
	key->id[len] = '\0';
	line += len + blanks;
	if (end - line != 2 * DYN_KEY_SIZE)
		return false;
	for (int i = 0; i < DYN_KEY_SIZE; i++)
	{
		int			high = hex_digit(line[2 * i]);
		int			low = hex_digit(line[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key->key[i] = high << 4 | low;
	}
	return true;
}

/* Any mistake makes all of it useless: half a rotation loses tables. */
static void
parse(const char *text)
{
	int			lines = 1;

	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	keys = MemoryContextAlloc(TopMemoryContext, lines * sizeof(DynMasterKey));
	for (int number = 1; *text != '\0'; number++)
	{
		const char *next = text + strcspn(text, "\n");
		const char *end = next;

		while (text < end && strchr(" \t", *text) != NULL)
			text++;
		while (end > text && strchr(" \t\r", end[-1]) != NULL)
			end--;
		if (text < end && *text != '#')
		{
			bool		good = parse_line(text, end, &keys[nkeys]);

			for (int i = 0; good && i < nkeys; i++)
				good = strcmp(keys[i].id, keys[nkeys].id) != 0;
			nkeys++;
			if (!good)
			{
				forget();
				note_trouble("Line %d of the master keys is not a new id, a blank and 64 hexadecimal digits.",
							 number);
				return;
			}
		}
		text = *next == '\0' ? next : next + 1;
	}
	if (nkeys == 0)
		note_trouble("There are no keys in the file or in the command's output.");
}

static void
read_keys(void)
{
	static char text[MAX_TEXT_SIZE + 1];
	bool		from_file = dyn_master_key_file[0] != '\0';
	bool		from_command = dyn_master_key_command[0] != '\0';
	char		before[sizeof(trouble)];

	strlcpy(before, trouble, sizeof(before));
	forget();
	trouble[0] = '\0';
	read_at = GetCurrentTimestamp();
	configuration = PgReloadTime;
	if (from_file && from_command)
		note_trouble("Both dynamo.master_key_file and dynamo.master_key_command are set.");
	else if (!from_file && !from_command)
		note_trouble("Neither dynamo.master_key_file nor dynamo.master_key_command is set.");
	else
	{
		if (from_file ? read_file(dyn_master_key_file, text) :
			read_command(dyn_master_key_command, text))
			parse(text);
		OPENSSL_cleanse(text, sizeof(text));
	}
	if (trouble[0] != '\0' && strcmp(before, trouble) != 0)
		ereport(LOG_SERVER_ONLY,
				(errmsg("no master keys of encrypted tables"),
				 errdetail_internal("%s", trouble)));
}

static void
refresh(void)
{
	if (read_at == 0 || configuration != PgReloadTime ||
		(nkeys == 0 &&
		 TimestampDifferenceExceeds(read_at, GetCurrentTimestamp(), RETRY_MS)))
		read_keys();
}

const DynMasterKey *
dyn_master_key_find(const char *id)
{
	refresh();
	for (int i = 0; i < nkeys; i++)
		if (id == NULL || strcmp(keys[i].id, id) == 0)
			return &keys[i];
	return NULL;
}

const char *
dyn_master_keys_trouble(void)
{
	/* Where they are to be found is nobody else's business. */
	if (!superuser())
		return "The server's administrator knows, or its log says, why it is not to be had.";
	return trouble[0] != '\0' ? trouble :
		"It is not among those of dynamo.master_key_file or dynamo.master_key_command.";
}

TimestampTz
dyn_master_keys_read_at(void)
{
	return read_at;
}

uint64
dyn_master_keys_generation(void)
{
	if (configuration != PgReloadTime)
		refresh();
	return generation;
}
