#include "reader.h"

ABACUS_SYMBOL int64_t parse_number(const char **text, struct audit *audit)
{
	const char *at = *text;
	int64_t thousandths = 0;
	int negative, decimals = -1;

	while (*at == ' ')
		at++;
	negative = *at == '-';
	if (negative)
		at++;
	for (; (*at >= '0' && *at <= '9') || (*at == '.' && decimals < 0); at++) {
		if (*at == '.') {
			decimals = 0;
		} else if (decimals < 3) {
			thousandths = thousandths * 10 + (*at - '0');
			if (decimals >= 0)
				decimals++;
		}
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 3; decimals++)
		thousandths *= 10;
	*text = at;
	if (negative)
		thousandths = -thousandths;
	audit_fold(audit, (uint64_t)thousandths);
	return thousandths;
}
