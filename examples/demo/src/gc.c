#include "gc.h"

void gc_init(struct heap *heap)
{
	heap->free = NULL;
	for (size_t i = HEAP_CELLS; i-- > 0;) {
		heap->cells[i] = (struct cell){ .right = heap->free };
		heap->free = &heap->cells[i];
	}
}

struct cell *gc_alloc(struct heap *heap, int64_t value, struct cell *left, struct cell *right)
{
	struct cell *cell = heap->free;

	if (cell == NULL)
		return NULL;
	heap->free = cell->right;
	*cell = (struct cell){ .left = left, .right = right, .value = value, .used = 1 };
	return cell;
}

ABACUS_SYMBOL size_t gc_mark(struct cell *root, struct audit *audit)
{
	struct cell *stack[HEAP_CELLS + 1];
	size_t depth = 0, marked = 0;

	if (root != NULL && !root->marked) {
		root->marked = 1;
		stack[depth++] = root;
	}
	while (depth > 0) {
		struct cell *cell = stack[--depth];

		audit_fold(audit, (uint64_t)cell->value);
		marked++;
		/* Marked when pushed, so that no cell is on the stack twice. */
		if (cell->left != NULL && !cell->left->marked) {
			cell->left->marked = 1;
			stack[depth++] = cell->left;
		}
		if (cell->right != NULL && !cell->right->marked) {
			cell->right->marked = 1;
			stack[depth++] = cell->right;
		}
	}
	return marked;
}

ABACUS_SYMBOL size_t gc_sweep(struct heap *heap, struct audit *audit)
{
	size_t freed = 0;

	for (struct cell *cell = heap->cells; cell < heap->cells + HEAP_CELLS; cell++) {
		if (cell->marked) {
			cell->marked = 0;
		} else if (cell->used) {
			audit_fold(audit, (uint64_t)cell->value);
			*cell = (struct cell){ .right = heap->free };
			heap->free = cell;
			freed++;
		}
	}
	return freed;
}
