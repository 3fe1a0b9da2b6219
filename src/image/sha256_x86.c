/* SHA-256 with the instructions that processors have for it: about ten times as fast. Importing an extension
 * and writing an image hash megabytes. */
#include "image/sha256_blocks.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define SHA_TARGET __attribute__((target("sha,sse4.1,ssse3")))

bool sha256_has_instructions(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

/* Four rounds. The state is in the order the instructions want: ABEF and CDGH. */
SHA_TARGET static inline void rounds(__m128i *abef, __m128i *cdgh, __m128i words, int first) {
    __m128i sum = _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)&sha256_constants[first]));
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The four words sixteen after words[0]. */
SHA_TARGET static inline __m128i schedule(const __m128i words[4], int at) {
    const __m128i last = words[(at + 3) & 3];
    __m128i middle = _mm_alignr_epi8(last, words[(at + 2) & 3], 4);
    __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[at & 3], words[(at + 1) & 3]), middle);
    return _mm_sha256msg2_epu32(sum, last);
}

SHA_TARGET void sha256_blocks_fast(uint32_t state[8], const uint8_t *data, size_t count) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i *stored = (__m128i *)state;
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(stored), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(stored + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
    for (; count > 0; count--, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i words[4];
        for (int i = 0; i < 4; i++)
            words[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data + i), big_endian);
        for (int i = 0; i < 16; i++) {
            rounds(&abef, &cdgh, words[i & 3], 4 * i);
            if (i < 12)
                words[i & 3] = schedule(words, i);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128(stored, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(stored + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#else

bool sha256_has_instructions(void) {
    return false;
}

void sha256_blocks_fast(uint32_t state[8], const uint8_t *data, size_t count) {
    (void)state, (void)data, (void)count;
}

#endif
