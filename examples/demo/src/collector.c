/* collector NAME ROUNDS: reads a formula, builds its tree and collects the
 * garbage, ROUNDS times, and checks every round against the known good one. */
#include <stdio.h>
#include <stdlib.h>

#include "gc.h"
#include "reader.h"

#define EXPECTED_DIGEST UINT64_C(0xf3ea92f95ade1476)

enum { NUMBERS = 4, NAMES = 30, LIVE = 60, GARBAGE = 6, FOLDS = NUMBERS + NAMES + LIVE + GARBAGE };

static const char *const names[NAMES] = {
	"rate",  "term",   "interest", "principal", "days",  "months", "years", "tax",  "net",  "gross",
	"sum",   "mean",   "median",   "low",       "high",  "first",  "last",  "open", "close", "volume",
	"price", "amount", "discount", "fee",       "total", "rest",   "carry", "item", "count", "unit",
};

static struct heap heap;
static struct hash hash;

/* One round. Returns what was wrong with it, or NULL. */
static const char *calculate(const char *formula)
{
	struct audit audit = audit_begin();
	int64_t numbers[NUMBERS];
	struct cell *tree = NULL;

	for (int i = 0; i < NUMBERS; i++)
		numbers[i] = parse_number(&formula, &audit);

	for (int i = 0; i < NAMES; i++) {
		int64_t value = hash_lookup(&hash, names[i], &audit);
		struct cell *leaf = gc_alloc(&heap, value + numbers[i % NUMBERS], NULL, NULL);

		/* A temporary that nothing points to, every fifth time. */
		if (i % (NAMES / GARBAGE) == 0)
			gc_alloc(&heap, -value, leaf, NULL);
		tree = gc_alloc(&heap, i, tree, leaf);
		if (tree == NULL)
			return "heap full";
	}

	if (gc_mark(tree, &audit) != LIVE)
		return "wrong number of live cells";
	if (gc_sweep(&heap, &audit) != GARBAGE)
		return "wrong number of freed cells";
	if (audit.folds != FOLDS || audit.digest != EXPECTED_DIGEST)
		return "wrong digest";
	return NULL;
}

int main(int argc, char **argv)
{
	long rounds;

	if (argc != 3 || (rounds = atol(argv[2])) < 1) {
		fprintf(stderr, "usage: %s NAME ROUNDS\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < NAMES; i++)
		if (hash_insert(&hash, names[i], i * i) != 0)
			return 2;
	for (long round = 0; round < rounds; round++) {
		const char *wrong;

		gc_init(&heap);
		wrong = calculate("12 -7.25 3.125 1000");
		if (wrong != NULL) {
			fprintf(stderr, "%s: round %ld: %s\n", argv[1], round, wrong);
			return 1;
		}
	}
	return 0;
}
