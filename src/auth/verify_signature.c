/*-------------------------------------------------------------------------
 *
 * verify_signature.c
 *		dynamo_internal.verify_signature(): what the tests call.
 *
 * src/auth/verify_signature.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "auth/sigv4.h"

PG_FUNCTION_INFO_V1(dyn_verify_signature);

/*
 * verify_signature(method, path, query, headers, body, now, service) returns the
 * role that signed.  headers: one per line, "name:value".
 */
Datum
dyn_verify_signature(PG_FUNCTION_ARGS)
{
	char	   *line = text_to_cstring(PG_GETARG_TEXT_PP(3));
	bytea	   *body = PG_GETARG_BYTEA_PP(4);
	DynSignedHeader headers[100];
	DynSignedRequest request = {
		.method = text_to_cstring(PG_GETARG_TEXT_PP(0)),
		.path = text_to_cstring(PG_GETARG_TEXT_PP(1)),
		.query = text_to_cstring(PG_GETARG_TEXT_PP(2)),
		.headers = headers,
		.body = VARDATA_ANY(body),.body_len = VARSIZE_ANY_EXHDR(body),
		.service = text_to_cstring(PG_GETARG_TEXT_PP(6)),
		.memory = CurrentMemoryContext
	};
	DynPrincipal principal;

	while (*line != '\0' && request.nheaders < lengthof(headers))
	{
		DynSignedHeader *header = &headers[request.nheaders];
		size_t		len = strcspn(line, "\n");

		header->name = line;
		header->name_len = strcspn(line, ":\n");
		if (header->name_len < len)
		{
			header->value = line + header->name_len + 1;
			header->value_len = len - header->name_len - 1;
			request.nheaders++;
		}
		line += len + (line[len] == '\n');
	}
	dyn_sigv4_verify(&request, timestamptz_to_time_t(PG_GETARG_TIMESTAMPTZ(5)),
					 false, &principal);
	PG_RETURN_OID(principal.role);
}
