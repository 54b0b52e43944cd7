/*-------------------------------------------------------------------------
 *
 * crc32.h
 *		The checksum of a reply, as zlib's crc32() has it.
 *
 * src/http/crc32.h
 *-------------------------------------------------------------------------
 */
#ifndef DYN_CRC32_H
#define DYN_CRC32_H

extern uint32 dyn_crc32(const char *bytes, size_t len);

#endif							/* DYN_CRC32_H */
