#include <string.h>

#include "reader.h"

static void pad(char padded[NAME_LENGTH], const char *name)
{
	int length = 0;

	while (length < NAME_LENGTH && name[length] != '\0') {
		padded[length] = name[length];
		length++;
	}
	memset(padded + length, 0, NAME_LENGTH - length);
}

/* The slot of a name: its own, or the empty one where it belongs; NULL in a full table. */
static const struct name *find(const struct hash *hash, const char padded[NAME_LENGTH])
{
	unsigned start = (unsigned char)padded[0] * 7u + (unsigned char)padded[1];

	for (unsigned step = 0; step < HASH_SLOTS; step++) {
		const struct name *slot = &hash->slots[(start + step) % HASH_SLOTS];

		if (slot->text[0] == '\0' || memcmp(slot->text, padded, NAME_LENGTH) == 0)
			return slot;
	}
	return NULL;
}

int hash_insert(struct hash *hash, const char *name, int64_t value)
{
	char padded[NAME_LENGTH];
	struct name *slot;

	pad(padded, name);
	slot = (struct name *)find(hash, padded);
	if (slot == NULL)
		return -1;
	memcpy(slot->text, padded, NAME_LENGTH);
	slot->value = value;
	return 0;
}

ABACUS_SYMBOL int64_t hash_lookup(const struct hash *hash, const char *name, struct audit *audit)
{
	char padded[NAME_LENGTH];
	const struct name *slot;
	uint64_t word = 0;

	pad(padded, name);
	slot = find(hash, padded);
	for (int i = 0; i < NAME_LENGTH; i++)
		word = word << 8 | (unsigned char)padded[i];
	audit_fold(audit, word);
	return slot != NULL ? slot->value : 0;
}
