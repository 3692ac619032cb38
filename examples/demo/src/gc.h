/* The heap of a calculation: pairs of cells under a mark-and-sweep collector. */
#ifndef ABACUS_GC_H
#define ABACUS_GC_H

#include <stddef.h>

#include "audit.h"

#define HEAP_CELLS 66

struct cell {
	struct cell *left;
	struct cell *right; /* the next free cell, in a free one */
	int64_t value;
	int marked;
	int used;
};

struct heap {
	struct cell cells[HEAP_CELLS];
	struct cell *free;
};

void gc_init(struct heap *heap);

/* A fresh cell, or NULL when the heap is full. */
struct cell *gc_alloc(struct heap *heap, int64_t value, struct cell *left, struct cell *right);

/* Marks what can be reached from root and returns how many cells that is. Folds each of them. */
size_t gc_mark(struct cell *root, struct audit *audit);

/* Frees what is used and not marked and returns how many cells that is. Folds each of them. */
size_t gc_sweep(struct heap *heap, struct audit *audit);

#endif
