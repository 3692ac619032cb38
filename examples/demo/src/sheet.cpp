// sheet NAME ROUNDS: sums and joins the columns of a sheet, ROUNDS times, and
// checks every round against the known good one.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "column.hpp"
#include "reader.h"

namespace {

using abacus::sheet::Column;
using abacus::sheet::join;

constexpr std::size_t PRICES = 45, QUANTITIES = 20, JOINED = 15, NAMES = 20;
constexpr std::size_t FOLDS = PRICES + QUANTITIES + JOINED + NAMES;
constexpr std::uint64_t EXPECTED_DIGEST = 0xcb65381492225790;

template <typename T> Column<T> ramp(std::size_t length, T first, T step)
{
	std::vector<T> cells;
	for (std::size_t row = 0; row < length; row++)
		cells.push_back(first + step * static_cast<T>(row));
	return Column<T>(std::move(cells));
}

class Sheet {
public:
	Sheet()
	    : prices_(ramp<double>(PRICES, 0.5, 0.25)), quantities_(ramp<std::int64_t>(QUANTITIES, 3, 2)),
	      joined_(ramp<std::int64_t>(JOINED, 1, 1))
	{
		for (std::size_t i = 0; i < NAMES; i++) {
			names_.push_back("row" + std::to_string(i));
			hash_insert(&hash_, names_.back().c_str(), static_cast<std::int64_t>(i));
		}
	}

	audit calculate() const
	{
		audit audit = audit_begin();
		std::int64_t known = 0;
		for (const std::string &name : names_)
			known += hash_lookup(&hash_, name.c_str(), &audit);
		const double prices = prices_.total(audit);
		const std::int64_t quantities = quantities_.total(audit);
		const double joined = join(prices_, joined_, audit);
		// The sums are part of what is checked, without a fold of their own.
		audit.digest ^= Column<double>::word(prices + joined + static_cast<double>(quantities + known));
		return audit;
	}

private:
	Column<double> prices_;
	Column<std::int64_t> quantities_;
	Column<std::int64_t> joined_;
	std::vector<std::string> names_;
	hash hash_{};
};

} // namespace

int main(int argc, char **argv)
{
	const long rounds = argc == 3 ? std::atol(argv[2]) : 0;
	if (rounds < 1) {
		std::fprintf(stderr, "usage: %s NAME ROUNDS\n", argv[0]);
		return 2;
	}
	const Sheet sheet;
	for (long round = 0; round < rounds; round++) {
		const audit audit = sheet.calculate();
		if (audit.folds != FOLDS || audit.digest != EXPECTED_DIGEST) {
			std::fprintf(stderr, "%s: round %ld: wrong digest %#llx\n", argv[1], round,
			             static_cast<unsigned long long>(audit.digest));
			return 1;
		}
	}
	return 0;
}
