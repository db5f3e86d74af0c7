/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chars.c - classes of characters, and the alphabets in which vocabularies spell bytes.
 */
#include "config.h"

#include "src/vocab.h"

#include <utf8proc.h>

static utf8proc_category_t
category(int32_t cp)
{
	return cp < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(cp);
}

bool
lm_char_space(int32_t cp)
{
	return (cp >= 9 && cp <= 13) || cp == 0x20 || cp == 0x85 || cp == 0xa0 || cp == 0x1680 ||
	    (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
	    cp == 0x205f || cp == 0x3000;
}

bool
lm_char_numeric(int32_t cp)
{
	utf8proc_category_t c;

	if (cp < 0x80)
		return cp >= '0' && cp <= '9';
	c = category(cp);
	return c == UTF8PROC_CATEGORY_ND || c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_NO;
}

bool
lm_char_punct(int32_t cp)
{
	utf8proc_category_t c;

	if (cp < 0x80)
		return (cp >= '!' && cp <= '/') || (cp >= ':' && cp <= '@') ||
		    (cp >= '[' && cp <= '`') || (cp >= '{' && cp <= '~');
	c = category(cp);
	return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
}

bool
lm_char_mark(int32_t cp)
{
	utf8proc_category_t c;

	if (cp < 0x300)
		return false;
	c = category(cp);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
}

bool
lm_char_word(int32_t cp)
{
	utf8proc_category_t c;

	if (cp < 0x80)
		return cp == '_' || (cp >= '0' && cp <= '9') || (cp >= 'A' && cp <= 'Z') ||
		    (cp >= 'a' && cp <= 'z');
	c = category(cp);
	if ((c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NL) || c == UTF8PROC_CATEGORY_PC)
		return true;
	/* The joiners, and letters in circles and squares, which are alphabetic though symbols. */
	return cp == 0x200c || cp == 0x200d || (cp >= 0x24b6 && cp <= 0x24e9) ||
	    (cp >= 0x1f130 && cp <= 0x1f149) || (cp >= 0x1f150 && cp <= 0x1f169) ||
	    (cp >= 0x1f170 && cp <= 0x1f189);
}

/* Bytes that print in Latin-1 stand for themselves; the other 68 count on from U+0100. */
uint32_t
lm_byte_char(unsigned char byte)
{
	if (byte <= 32)
		return 0x100u + byte;
	if (byte >= 127 && byte <= 160)
		return 0x100u + 33 + (byte - 127u);
	return byte == 173 ? 0x100u + 67 : byte;
}

int
lm_char_byte(int32_t cp)
{
	if (cp > 0x100 + 67 || cp <= 32 || (cp >= 127 && cp <= 160) || cp == 173)
		return -1;
	if (cp < 0x100)
		return cp;
	cp -= 0x100;
	return cp <= 32 ? cp : cp == 67 ? 173 : cp - 33 + 127;
}

bool
lm_byte_level(const char *s, size_t n, struct lm_buf *out, struct lm_err *err)
{
	char utf8[256];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (len > sizeof(utf8) - 4) {
			if (!lm_buf_add(out, utf8, len, err))
				return false;
			len = 0;
		}
		len += lm_utf8_put(lm_byte_char((unsigned char)s[i]), utf8 + len);
	}
	return lm_buf_add(out, utf8, len, err);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
lm_byte_token(struct lm_str raw)
{
	int hi, lo;

	if (raw.n != 6 || memcmp(raw.p, "<0x", 3) != 0 || raw.p[5] != '>')
		return -1;
	hi = hex_digit(raw.p[3]);
	lo = hex_digit(raw.p[4]);
	return hi < 0 || lo < 0 ? -1 : hi << 4 | lo;
}
