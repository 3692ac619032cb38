/* libreader: the names and numbers of a formula. */
#ifndef ABACUS_READER_H
#define ABACUS_READER_H

#include "audit.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NAME_LENGTH 8
#define HASH_SLOTS 64

struct name {
	char text[NAME_LENGTH]; /* padded with zeros, not terminated */
	int64_t value;
};

struct hash {
	struct name slots[HASH_SLOTS];
};

/* Adds a name of at most NAME_LENGTH characters. Returns 0, or -1 if there is no room. */
int hash_insert(struct hash *hash, const char *name, int64_t value);

/* The value of a name, or 0 if it is unknown. Folds the name. */
int64_t hash_lookup(const struct hash *hash, const char *name, struct audit *audit);

/* Reads a decimal number in thousandths and moves *text behind it. Folds the number. */
int64_t parse_number(const char **text, struct audit *audit);

#ifdef __cplusplus
}
#endif

#endif
