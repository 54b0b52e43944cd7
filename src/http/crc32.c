/*-------------------------------------------------------------------------
 *
 * crc32.c
 *		The checksum of a reply, as zlib's crc32() has it.
 *
 * Every reply carries one, and zlib's of today takes an eighth of the time of
 * a page of 100 KB.  With the carry-less multiplication that x86-64
 * processors have had since 2010 it is hardly to be seen.  The method, and its
 * names: "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ
 * Instruction", Intel, 2009, for the bit-reflected polynomial of zlib.
 *
 * src/http/crc32.c
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <zlib.h>

#include "http/crc32.h"

#ifdef __x86_64__

#include <immintrin.h>

#define FOLDED_AT_LEAST	64

/* a * the two halves of k, added to b: what a is, so many bits further on. */
__attribute__((target("pclmul")))
static inline __m128i
fold(__m128i a, __m128i k, __m128i b)
{
	return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(a, k, 0x00),
									   _mm_clmulepi64_si128(a, k, 0x11)), b);
}

static inline __m128i
load(const char *bytes)
{
	return _mm_loadu_si128((const __m128i *) bytes);
}

/* Of len bytes, a multiple of 16 and at least FOLDED_AT_LEAST. */
__attribute__((target("pclmul")))
static uint32
folded_crc32(const char *bytes, size_t len)
{
	/* x^n modulo the polynomial, for the distances it is folded over */
	const __m128i k1k2 = _mm_set_epi64x(INT64CONST(0x1c6e41596), INT64CONST(0x154442bd4));
	const __m128i k3k4 = _mm_set_epi64x(INT64CONST(0x0ccaa009e), INT64CONST(0x1751997d0));
	const __m128i k5 = _mm_set_epi64x(0, INT64CONST(0x163cd6124));
	/* the polynomial, and 2^64 over it */
	const __m128i poly = _mm_set_epi64x(INT64CONST(0x1f7011641), INT64CONST(0x1db710641));
	const __m128i low_words = _mm_setr_epi32(~0, 0, ~0, 0);
	const char *end = bytes + len;
	__m128i		x1 = _mm_xor_si128(load(bytes), _mm_cvtsi32_si128(~0));
	__m128i		x2 = load(bytes + 16);
	__m128i		x3 = load(bytes + 32);
	__m128i		x4 = load(bytes + 48);

	/* Four strands, for a multiplication takes several cycles. */
	for (bytes += 64; end - bytes >= 64; bytes += 64)
	{
		x1 = fold(x1, k1k2, load(bytes));
		x2 = fold(x2, k1k2, load(bytes + 16));
		x3 = fold(x3, k1k2, load(bytes + 32));
		x4 = fold(x4, k1k2, load(bytes + 48));
	}
	x1 = fold(x1, k3k4, x2);
	x1 = fold(x1, k3k4, x3);
	x1 = fold(x1, k3k4, x4);
	for (; bytes < end; bytes += 16)
		x1 = fold(x1, k3k4, load(bytes));

	/* 128 bits to 64 */
	x1 = _mm_xor_si128(_mm_srli_si128(x1, 8), _mm_clmulepi64_si128(x1, k3k4, 0x10));
	x1 = _mm_xor_si128(_mm_srli_si128(x1, 4),
					   _mm_clmulepi64_si128(_mm_and_si128(x1, low_words), k5, 0x00));

	/* 64 to 32: Barrett's reduction */
	x2 = _mm_clmulepi64_si128(_mm_and_si128(x1, low_words), poly, 0x10);
	x2 = _mm_clmulepi64_si128(_mm_and_si128(x2, low_words), poly, 0x00);
	x1 = _mm_xor_si128(x1, x2);

	return ~(uint32) _mm_cvtsi128_si32(_mm_srli_si128(x1, 4));
}

uint32
dyn_crc32(const char *bytes, size_t len)
{
	uint32		crc = 0;
	size_t		folded = 0;

	if (len >= FOLDED_AT_LEAST && __builtin_cpu_supports("pclmul"))
	{
		folded = len - len % 16;
		crc = folded_crc32(bytes, folded);
	}
	crc = crc32_z(crc, (const Bytef *) bytes + folded, len - folded);
	Assert(crc == crc32_z(0, (const Bytef *) bytes, len));
	return crc;
}

#else

uint32
dyn_crc32(const char *bytes, size_t len)
{
	return crc32_z(0, (const Bytef *) bytes, len);
}

#endif
