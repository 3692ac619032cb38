/* The audit digest: every part of abacus folds each word it touches into one
 * running digest, so that a whole run is compared with a known good run by one
 * number.
 *
 * Folding is deliberately thorough: a chain of dependent rounds, inlined into
 * each caller. One fold costs the same wherever it is done, some thousand times
 * what the code around it costs, so the time of a function follows the number
 * of words it folds. README.md lists those numbers. */
#ifndef ABACUS_AUDIT_H
#define ABACUS_AUDIT_H

#include <stdint.h>

#define AUDIT_ROUNDS 750
#define AUDIT_SEED UINT64_C(0x9e3779b97f4a7c15)
#define AUDIT_MULTIPLIER UINT64_C(0xd6e8feb86659fd93)

/* Keeps a function one symbol of its own: neither inlined nor specialised. */
#if defined(__clang__)
#define ABACUS_SYMBOL __attribute__((noinline))
#else
#define ABACUS_SYMBOL __attribute__((noinline, noclone))
#endif

struct audit {
	uint64_t digest;
	uint64_t folds;
};

static inline struct audit audit_begin(void)
{
	struct audit audit = { AUDIT_SEED, 0 };
	return audit;
}

static inline __attribute__((always_inline)) void audit_fold(struct audit *audit, uint64_t word)
{
	uint64_t x = audit->digest ^ word;

	for (int round = 0; round < AUDIT_ROUNDS; round++) {
		x ^= x >> 29;
		x *= AUDIT_MULTIPLIER;
	}
	audit->digest = x;
	audit->folds++;
}

#endif
