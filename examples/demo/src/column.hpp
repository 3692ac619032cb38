// Columns of a sheet: typed cells that are summed and joined.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "audit.h"

namespace abacus {
namespace sheet {

template <typename T> class Column {
public:
	explicit Column(std::vector<T> cells) : cells_(std::move(cells)) {}

	// The sum of all cells. Folds each of them.
	ABACUS_SYMBOL T total(audit &audit) const
	{
		T sum = T();
		for (const T &cell : cells_) {
			audit_fold(&audit, word(cell));
			sum += cell;
		}
		return sum;
	}

	const std::vector<T> &cells() const { return cells_; }

	static uint64_t word(const T &cell)
	{
		static_assert(sizeof(T) == sizeof(uint64_t), "cells are folded as one word");
		uint64_t bits;
		std::memcpy(&bits, &cell, sizeof bits);
		return bits;
	}

private:
	std::vector<T> cells_;
};

// The sum of the products of two columns, row by row. Folds each row.
template <typename Left, typename Right>
ABACUS_SYMBOL Left join(const Column<Left> &left, const Column<Right> &right, audit &audit)
{
	const std::size_t rows = std::min(left.cells().size(), right.cells().size());
	Left sum = Left();
	for (std::size_t row = 0; row < rows; row++) {
		const Left product = left.cells()[row] * static_cast<Left>(right.cells()[row]);
		audit_fold(&audit, Column<Left>::word(product));
		sum += product;
	}
	return sum;
}

} // namespace sheet
} // namespace abacus
