/*-------------------------------------------------------------------------
 *
 * error_list.h
 *		Every DynamoDB exception this server can answer, one line each.
 *
 * DYN_EXCEPTION(name, sqlstate, HTTP status, prefix, wire name)
 *
 * name: what dyn_errcode() and dyn_raise() take.  sqlstate: class KV is ours;
 * never reuse one.  prefix: which Coral package stands before the '#' of
 * "__type" (see base/error.h).  docs/errors.md is checked against this list.
 *
 * No include guard: included several times with other definitions of
 * DYN_EXCEPTION.
 *
 * src/base/error_list.h
 *-------------------------------------------------------------------------
 */
DYN_EXCEPTION(VALIDATION, "KV001", 400, CORAL_VALIDATE, "ValidationException")
DYN_EXCEPTION(SERIALIZATION, "KV002", 400, CORAL_SERVICE, "SerializationException")
DYN_EXCEPTION(RESOURCE_NOT_FOUND, "KV003", 400, DYNAMODB, "ResourceNotFoundException")
DYN_EXCEPTION(RESOURCE_IN_USE, "KV004", 400, DYNAMODB, "ResourceInUseException")
DYN_EXCEPTION(CONDITIONAL_CHECK_FAILED, "KV005", 400, DYNAMODB, "ConditionalCheckFailedException")
DYN_EXCEPTION(TRANSACTION_CONFLICT, "KV006", 400, DYNAMODB, "TransactionConflictException")
DYN_EXCEPTION(LIMIT_EXCEEDED, "KV007", 400, DYNAMODB, "LimitExceededException")
DYN_EXCEPTION(PROVISIONED_THROUGHPUT_EXCEEDED, "KV008", 400, DYNAMODB, "ProvisionedThroughputExceededException")
DYN_EXCEPTION(REQUEST_LIMIT_EXCEEDED, "KV009", 400, DYNAMODB, "RequestLimitExceeded")
DYN_EXCEPTION(THROTTLING, "KV010", 400, CORAL_SERVICE, "ThrottlingException")
DYN_EXCEPTION(ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED, "KV011", 400, DYNAMODB, "ItemCollectionSizeLimitExceededException")
DYN_EXCEPTION(UNKNOWN_OPERATION, "KV012", 400, CORAL_SERVICE, "UnknownOperationException")
DYN_EXCEPTION(ACCESS_DENIED, "KV013", 400, CORAL_SERVICE, "AccessDeniedException")
DYN_EXCEPTION(MISSING_AUTHENTICATION_TOKEN, "KV014", 400, CORAL_SERVICE, "MissingAuthenticationTokenException")
DYN_EXCEPTION(INCOMPLETE_SIGNATURE, "KV015", 400, CORAL_SERVICE, "IncompleteSignatureException")
DYN_EXCEPTION(INVALID_SIGNATURE, "KV016", 400, CORAL_SERVICE, "InvalidSignatureException")
DYN_EXCEPTION(UNRECOGNIZED_CLIENT, "KV017", 400, CORAL_SERVICE, "UnrecognizedClientException")
DYN_EXCEPTION(EXPIRED_TOKEN, "KV018", 400, CORAL_SERVICE, "ExpiredTokenException")
DYN_EXCEPTION(SERVICE_UNAVAILABLE, "KV019", 503, CORAL_SERVICE, "ServiceUnavailable")
DYN_EXCEPTION(INTERNAL_SERVER_ERROR, "KV020", 500, DYNAMODB, "InternalServerError")
DYN_EXCEPTION(TRANSACTION_CANCELED, "KV021", 400, DYNAMODB, "TransactionCanceledException")
DYN_EXCEPTION(TRANSACTION_IN_PROGRESS, "KV022", 400, DYNAMODB, "TransactionInProgressException")
DYN_EXCEPTION(IDEMPOTENT_PARAMETER_MISMATCH, "KV023", 400, DYNAMODB, "IdempotentParameterMismatchException")
DYN_EXCEPTION(TABLE_NOT_FOUND, "KV024", 400, DYNAMODB, "TableNotFoundException")
DYN_EXCEPTION(POLICY_NOT_FOUND, "KV025", 400, DYNAMODB, "PolicyNotFoundException")
DYN_EXCEPTION(DUPLICATE_ITEM, "KV026", 400, DYNAMODB, "DuplicateItemException")
DYN_EXCEPTION(EXPIRED_ITERATOR, "KV027", 400, DYNAMODB, "ExpiredIteratorException")
DYN_EXCEPTION(TRIMMED_DATA_ACCESS, "KV028", 400, DYNAMODB, "TrimmedDataAccessException")
DYN_EXCEPTION(MALFORMED_POLICY_DOCUMENT, "KV029", 400, CORAL_SERVICE, "MalformedPolicyDocument")
DYN_EXCEPTION(PACKED_POLICY_TOO_LARGE, "KV030", 400, CORAL_SERVICE, "PackedPolicyTooLarge")
