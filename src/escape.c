/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape.c - untrusted bytes made fit for terminals, tables and JSON.
 */
#include "config.h"

#include "src/lm.h"

#include <stdio.h>
#include <utf8proc.h>

/* Joiners, direction marks, variation selectors, tags, fillers: there but not to be seen. */
static bool
invisible(int32_t cp)
{
	return cp == 0xad || cp == 0x034f || cp == 0x061c || cp == 0x115f || cp == 0x1160 ||
	    (cp >= 0x17b4 && cp <= 0x17b5) || (cp >= 0x180b && cp <= 0x180f) ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || cp == 0x3164 || (cp >= 0xfe00 && cp <= 0xfe0f) ||
	    cp == 0xfeff || cp == 0xffa0 || (cp >= 0xfff0 && cp <= 0xfffb) ||
	    (cp >= 0xe0000 && cp <= 0xe0fff);
}

int
lm_char_width(int32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return -1;
	if (cp < 0x7f)
		return 1;
	if (invisible(cp))
		return -1;
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_ME:
		return 0;
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return -1;
	default:
		return utf8proc_charwidth(cp) > 0 ? utf8proc_charwidth(cp) : 1;
	}
}

static bool
escape_char(const char *s, size_t n, int32_t cp, bool ascii, bool start, struct lm_buf *out,
    struct lm_err *err)
{
	int width = cp < 0 ? -1 : lm_char_width(cp);

	switch (cp) {
	case '\n':
		return lm_buf_str(out, "\\n", err);
	case '\r':
		return lm_buf_str(out, "\\r", err);
	case '\t':
		return lm_buf_str(out, "\\t", err);
	case '\\':
		return lm_buf_str(out, "\\\\", err);
	default:
		break;
	}
	if (cp < 0) {
		for (size_t i = 0; i < n; i++)
			if (!lm_buf_printf(out, err, "\\x%02X", (unsigned char)s[i]))
				return false;
		return true;
	}
	if (cp < 0x20 || cp == 0x7f)
		return lm_buf_printf(out, err, "\\x%02x", (unsigned)cp);
	if (width < 0 || (ascii && cp > 0x7e))
		return lm_buf_printf(out, err, "\\u{%X}", (unsigned)cp);
	if (width == 0 && start && !lm_buf_str(out, "\u25cc", err))
		return false;
	return lm_buf_add(out, s, n, err);
}

bool
lm_escape(const char *s, size_t n, bool ascii, struct lm_buf *out, struct lm_err *err)
{
	if (!lm_buf_add(out, "", 0, err))
		return false;
	for (size_t i = 0, k; i < n; i += k) {
		int32_t cp;

		k = lm_utf8_next(s + i, n - i, &cp);
		if (!escape_char(s + i, k, cp, ascii, i == 0, out, err))
			return false;
	}
	return true;
}

bool
lm_utf8_mend(const char *s, size_t n, struct lm_buf *out, bool *exact, struct lm_err *err)
{
	*exact = true;
	if (!lm_buf_add(out, "", 0, err))
		return false;
	for (size_t i = 0, k; i < n; i += k) {
		int32_t cp;

		k = lm_utf8_next(s + i, n - i, &cp);
		if (cp < 0)
			*exact = false;
		if (!(cp < 0 ? lm_buf_str(out, "\ufffd", err) : lm_buf_add(out, s + i, k, err)))
			return false;
	}
	return true;
}
