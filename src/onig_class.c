/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onig_class.c - the half of the translation of patterns that is about single characters: escapes,
 * properties and classes.
 *
 * Classes of Oniguruma nest and intersect: [a-z&&[^aeiou]].  A class becomes a class of PCRE2 where
 * that has an equal, else an alternation.
 */
#include "config.h"

#include "src/onig.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

/* Unicode's White_Space; PCRE2's \s has U+180E as well in some versions. */
#define SPACE "\\t-\\r\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}" \
	"\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define NO_SPACE "\\x00-\\x08\\x0e-\\x1f\\x21-\\x84\\x86-\\x9f\\xa1-\\x{167f}\\x{1681}-\\x{1fff}" \
	"\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}" \
	"\\x{3001}-\\x{10ffff}"
/* Letters, marks, decimal and letter numbers, connectors, the letters in circles and squares. */
#define WORD "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}" \
	"\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"
/* \w outside of a class has these as well. */
#define MORE_WORD "\\xb2\\xb3\\xb9\\xbc-\\xbe"
#define ALL "\\x00-\\x{10ffff}"

/*
 * Named sets as the inside of a class; POSIX names, and those of properties that are no category.
 */
static const struct set {
	const char *name, *items;
} sets[] = {
#if PCRE2_MAJOR > 10 || PCRE2_MINOR >= 40
	{ "alnum", "\\p{Alphabetic}\\p{Nd}" },
	{ "alpha", "\\p{Alphabetic}" },
	{ "alphabetic", "\\p{Alphabetic}" },
	{ "lower", "\\p{Lowercase}" },
	{ "lowercase", "\\p{Lowercase}" },
	{ "upper", "\\p{Uppercase}" },
	{ "uppercase", "\\p{Uppercase}" },
	{ "emoji", "\\p{Emoji}" },
	{ "emojimodifier", "\\p{Emoji_Modifier}" },
	{ "emojimodifierbase", "\\p{Emoji_Modifier_Base}" },
	{ "emojicomponent", "\\p{Emoji_Component}" },
	{ "emojipresentation", "\\p{Emoji_Presentation}" },
	{ "extendedpictographic", "\\p{Extended_Pictographic}" },
	{ "ideographic", "\\p{Ideographic}" },
	{ "unifiedideograph", "\\p{Unified_Ideograph}" },
	{ "variationselector", "\\p{Variation_Selector}" },
	{ "idstart", "\\p{ID_Start}" },
	{ "idcontinue", "\\p{ID_Continue}" },
	{ "xidstart", "\\p{XID_Start}" },
	{ "xidcontinue", "\\p{XID_Continue}" },
#else
	{ "alnum", "\\p{L}\\p{Nl}\\p{Nd}" },
	{ "alpha", "\\p{L}\\p{Nl}" },
	{ "alphabetic", "\\p{L}\\p{Nl}" },
	{ "lower", "\\p{Ll}" },
	{ "lowercase", "\\p{Ll}" },
	{ "upper", "\\p{Lu}" },
	{ "uppercase", "\\p{Lu}" },
#endif
	{ "any", ALL },
	{ "ascii", "\\x00-\\x7f" },
	{ "blank", "\\t\\p{Zs}" },
	{ "cntrl", "\\p{Cc}" },
	{ "digit", "\\p{Nd}" },
	{ "print", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}" },
	{ "graph", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}" },
	{ "space", SPACE },
	{ "whitespace", SPACE },
	{ "xdigit", "0-9A-Fa-f" },
};

/* General categories by their long names; the short ones have one or two letters. */
static const struct set categories[] = {
	{ "other", "C" }, { "control", "Cc" }, { "format", "Cf" }, { "unassigned", "Cn" },
	{ "privateuse", "Co" }, { "surrogate", "Cs" }, { "letter", "L" },
	{ "lowercaseletter", "Ll" },
	{ "modifierletter", "Lm" }, { "otherletter", "Lo" }, { "titlecaseletter", "Lt" },
	{ "uppercaseletter", "Lu" }, { "mark", "M" }, { "combiningmark", "M" },
	{ "spacingmark", "Mc" }, { "enclosingmark", "Me" }, { "nonspacingmark", "Mn" },
	{ "number", "N" }, { "decimalnumber", "Nd" }, { "letternumber", "Nl" },
	{ "othernumber", "No" }, { "punctuation", "P" }, { "punct", "P" },
	{ "connectorpunctuation", "Pc" }, { "dashpunctuation", "Pd" }, { "closepunctuation", "Pe" },
	{ "finalpunctuation", "Pf" }, { "initialpunctuation", "Pi" }, { "otherpunctuation", "Po" },
	{ "openpunctuation", "Ps" }, { "symbol", "S" }, { "currencysymbol", "Sc" },
	{ "modifiersymbol", "Sk" }, { "mathsymbol", "Sm" }, { "othersymbol", "So" },
	{ "separator", "Z" }, { "lineseparator", "Zl" }, { "paragraphseparator", "Zp" },
	{ "spaceseparator", "Zs" },
};

const char lm_onig_word[] = WORD MORE_WORD;

bool
lm_onig_fail(struct lm_onig *w, const char *what)
{
	return lm_fail(w->err, LM_EUNSUPPORTED, "pattern %.*s: %s",
	    (int)(w->n > 200 ? 200 : w->n), w->p, what);
}

static bool
put(struct lm_buf *b, const char *s, struct lm_onig *w)
{
	return lm_buf_str(b, s, w->err);
}

static bool
is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* ---- one character or set -------------------------------------------------------------------- */

static void
set_item(struct lm_onig_item *it, const char *items, bool negated)
{
	snprintf(it->items, sizeof(it->items), "%s", items);
	it->negated = negated;
	it->raw = false;
}

/* The set of a property or POSIX class of that name, as Oniguruma reads names. */
static bool
named(struct lm_onig *w, const char *p, size_t n, bool posix, struct lm_onig_item *it)
{
	char name[40];
	size_t len = 0;
	bool not = n && *p == '^';

	for (size_t i = not; i < n; i++) {
		if (p[i] == ' ' || p[i] == '_' || p[i] == '-')
			continue;
		if (len == sizeof(name) - 1 || (!is_letter(p[i]) && (p[i] < '0' || p[i] > '9')))
			return lm_onig_fail(w, "unknown name of a property");
		name[len++] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
	}
	name[len] = '\0';
	it->raw = false;
	it->negated = not;
	if (strcmp(name, "word") == 0) {
		set_item(it, w->classes ? WORD : lm_onig_word, not);
		return true;
	}
	if (posix && strcmp(name, "punct") == 0) {
		set_item(it, "\\p{P}\\p{S}", not);
		return true;
	}
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (strcmp(sets[i].name, name) == 0) {
			set_item(it, sets[i].items, not);
			return true;
		}
	if (posix)
		return lm_onig_fail(w, "unknown name of a POSIX class");
	for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
		if (strcmp(categories[i].name, name) == 0) {
			snprintf(it->items, sizeof(it->items), "\\p{%s}", categories[i].items);
			return true;
		}
	if (len == 1 || len == 2) {
		name[0] = (char)(name[0] & ~0x20);
		snprintf(it->items, sizeof(it->items), "\\p{%s}", name);
		return true;
	}
	/*
	 * A script, of which the name alone means the script and its extensions in newer versions.
	 */
#if PCRE2_MAJOR > 10 || PCRE2_MINOR >= 40
	snprintf(it->items, sizeof(it->items), "\\p{sc:%s}", name);
#else
	name[0] = (char)(name[0] & ~0x20);
	snprintf(it->items, sizeof(it->items), "\\p{%s}", name);
#endif
	return true;
}

/* \p{...} or \P{...}, w->i at the letter; leaves it after the brace. */
static bool
property(struct lm_onig *w, struct lm_onig_item *it)
{
	bool not = w->p[w->i] == 'P';
	size_t from = w->i + 2, to = from;

	while (to < w->n && w->p[to] != '}')
		to++;
	if (to >= w->n)
		return lm_onig_fail(w, "a property without its closing brace");
	w->i = to + 1;
	if (!named(w, w->p + from, to - from, false, it))
		return false;
	it->negated ^= not;
	return true;
}

/* A code point as an item of its own. */
void
lm_onig_code_point(struct lm_onig_item *it, uint32_t cp)
{
	snprintf(it->items, sizeof(it->items), "\\x{%x}", (unsigned)cp);
	it->negated = false;
	it->raw = true;
}

/* \uHHHH, \xHH, \x{H...}; w->i at the letter. */
static bool
hex_escape(struct lm_onig *w, struct lm_onig_item *it)
{
	bool braces = w->i + 1 < w->n && w->p[w->i] == 'x' && w->p[w->i + 1] == '{';
	unsigned most = braces ? 8 : w->p[w->i] == 'u' ? 4 : 2, got = 0;
	uint64_t cp = 0;

	for (w->i += 1 + braces; got < most && w->i < w->n && is_hex(w->p[w->i]); w->i++, got++) {
		char c = w->p[w->i];

		cp = cp << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	if ((got == 0 && most != 2) || (most == 4 && got < 4) ||
	    (braces && (w->i >= w->n || w->p[w->i++] != '}')))
		return lm_onig_fail(w, "a code point is not complete");
	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return lm_onig_fail(w, "a code point does not exist");
	if (most == 2 && cp > 0x7f)
		return lm_onig_fail(w, "a byte that is no character");
	lm_onig_code_point(it, (uint32_t)cp);
	return true;
}

/*
 * The escapes that mean one character or a set, inside and outside of classes; w->i at the letter.
 */
bool
lm_onig_escape(struct lm_onig *w, struct lm_onig_item *it, bool *known)
{
	static const char controls[] = "tnrfae", codes[] = "\t\n\r\f\a\033";
	char c = w->p[w->i];
	const char *s;

	*known = true;
	switch (c) {
	case 'h':
	case 'H':
		set_item(it, "0-9A-Fa-f", c == 'H');
		break;
	case 's':
		set_item(it, SPACE, false);
		break;
	case 'S':
		set_item(it, NO_SPACE, false);
		break;
	case 'w':
	case 'W':
		set_item(it, w->classes ? WORD : lm_onig_word, c == 'W');
		break;
	case 'd':
	case 'D':
		set_item(it, "\\p{Nd}", c == 'D');
		break;
	case 'v':
		lm_onig_code_point(it, 0x0b);
		break;
	case 'u':
	case 'x':
		return hex_escape(w, it);
	case 'p':
	case 'P':
		if (w->i + 1 < w->n && w->p[w->i + 1] == '{')
			return property(w, it);
		*known = false;			/* the letter itself */
		return true;
	default:
		s = c ? strchr(controls, c) : NULL;
		*known = s != NULL;
		if (!s)
			return true;
		lm_onig_code_point(it, (uint32_t)codes[s - controls]);
	}
	w->i++;
	return true;
}

/* A character that stands for itself, at w->i: escaped where PCRE2 would read more into it. */
void
lm_onig_literal(struct lm_onig *w, struct lm_onig_item *it)
{
	int32_t cp;
	size_t k = lm_utf8_next(w->p + w->i, w->n - w->i, &cp);

	it->negated = false;
	it->raw = true;
	if (cp < 0 || cp >= 0x80 || cp < 0x20) {
		/* No UTF-8 (it matches nothing, as U+FFFD nearly does), or beyond ASCII. */
		lm_onig_code_point(it, cp < 0 ? 0xfffd : (uint32_t)cp);
	} else if (is_letter((char)cp) || (cp >= '0' && cp <= '9')) {
		snprintf(it->items, sizeof(it->items), "%c", (char)cp);
	} else {
		snprintf(it->items, sizeof(it->items), "\\%c", (char)cp);
	}
	w->i += k;
}

/* ---- classes --------------------------------------------------------------------------------- */

/* A union in the making: the inside of a PCRE2 class, and alternatives that do not fit into one. */
struct bag {
	struct lm_buf items, alts;	/* each alternative is preceded by | */
};

static bool
bag_add(struct lm_onig *w, struct bag *b, const struct lm_onig_item *it)
{
	if (!it->negated)
		return put(&b->items, it->items, w);
	return put(&b->alts, "|[^", w) && put(&b->alts, it->items, w) && put(&b->alts, "]", w);
}

/* Writes an expression that matches what the bag holds. */
static bool
bag_write(struct lm_onig *w, const struct bag *b, struct lm_buf *out)
{
	if (b->items.len == 0 && b->alts.len == 0)
		return put(out, "(?!)", w);
	if (b->alts.len == 0)
		return put(out, "[", w) && put(out, b->items.p, w) && put(out, "]", w);
	if (b->items.len == 0)
		return put(out, "(?:", w) && put(out, b->alts.p + 1, w) && put(out, ")", w);
	return put(out, "(?:[", w) && put(out, b->items.p, w) && put(out, "]", w) &&
	    put(out, b->alts.p, w) && put(out, ")", w);
}

static bool class_into(struct lm_onig *w, struct bag *parent, struct lm_buf *out);

/* [:name:] at w->i.  *is: there is one. */
static bool
posix_class(struct lm_onig *w, struct lm_onig_item *it, bool *is)
{
	size_t from = w->i + 2, to = from;

	*is = false;
	if (w->n - w->i < 4 || w->p[w->i + 1] != ':')
		return true;
	while (to < w->n && (is_letter(w->p[to]) || (to == from && w->p[to] == '^')))
		to++;
	if (w->n - to < 2 || w->p[to] != ':' || w->p[to + 1] != ']')
		return true;
	*is = true;
	w->i = to + 2;
	return named(w, w->p + from, to - from, true, it);
}

/* One element of a class that is no nested class. */
static bool
element(struct lm_onig *w, struct lm_onig_item *it)
{
	bool known;

	if (w->p[w->i] != '\\' || w->i + 1 == w->n) {
		lm_onig_literal(w, it);
		return true;
	}
	w->i++;
	if (w->p[w->i] == 'b') {
		lm_onig_code_point(it, 8);
		w->i++;
		return true;
	}
	if (!lm_onig_escape(w, it, &known))
		return false;
	if (known)
		return true;
	if (w->p[w->i] >= '0' && w->p[w->i] <= '7') {
		uint32_t cp = 0;

		for (int k = 0; k < 3 && w->i < w->n && w->p[w->i] >= '0' && w->p[w->i] <= '7'; k++)
			cp = cp * 8 + (uint32_t)(w->p[w->i++] - '0');
		lm_onig_code_point(it, cp & 0x7f);
		return true;
	}
	lm_onig_literal(w, it);
	return true;
}

/* Adds the element at w->i, and the range that it may begin, to the bag. */
static bool
element_or_range(struct lm_onig *w, struct bag *b)
{
	struct lm_onig_item lo, hi;

	if (!element(w, &lo))
		return false;
	if (!lo.raw || w->n - w->i < 3 || w->p[w->i] != '-' || w->p[w->i + 1] == ']')
		return bag_add(w, b, &lo);
	w->i++;
	if (w->p[w->i] == '[')
		return lm_onig_fail(w, "a class cannot end a range");
	if (!element(w, &hi))
		return false;
	if (!hi.raw)
		return lm_onig_fail(w, "a set cannot end a range");
	return bag_add(w, b, &lo) && put(&b->items, "-", w) && bag_add(w, b, &hi);
}

/* Reads elements up to && or the closing bracket, at which it leaves w->i. */
static bool
class_union(struct lm_onig *w, struct bag *b, bool first)
{
	struct lm_onig_item it;
	bool posix;

	for (;; first = false) {
		if (w->i >= w->n)
			return lm_onig_fail(w, "a class without its closing bracket");
		if (w->p[w->i] == ']' && !first)
			return true;
		if (w->n - w->i >= 2 && w->p[w->i] == '&' && w->p[w->i + 1] == '&')
			return true;
		if (w->p[w->i] == '[') {
			if (!posix_class(w, &it, &posix) ||
			    !(posix ? bag_add(w, b, &it) : class_into(w, b, NULL)))
				return false;
		} else if (!element_or_range(w, b)) {
			return false;
		}
	}
}

/* Joins the parts of an intersection, and adds them to the parent or writes them to out. */
static bool
class_finish(struct lm_onig *w, struct bag *part, unsigned parts, bool negated, struct bag *parent,
    struct lm_buf *out)
{
	struct lm_buf expr = { 0 };
	bool ok = true;

	if (parts == 1 && !negated && parent && part->alts.len == 0)
		return part->items.len == 0 || put(&parent->items, part->items.p, w);
	if (parts == 1 && negated && part->alts.len == 0 && part->items.len) {
		ok = put(&expr, "[^", w) && put(&expr, part->items.p, w) && put(&expr, "]", w);
	} else {
		ok = put(&expr, negated ? "(?:(?!" : "(?:", w);
		for (unsigned k = 0; ok && k < parts; k++)
			ok = (k + 1 == parts || put(&expr, "(?=", w)) &&
			    bag_write(w, &part[k], &expr) && (k + 1 == parts || put(&expr, ")", w));
		ok = ok && put(&expr, negated ? ")(?s:.))" : ")", w);
	}
	ok = ok && (!parent || put(&parent->alts, "|", w)) &&
	    put(parent ? &parent->alts : out, expr.p, w);
	lm_buf_free(&expr);
	return ok;
}

/* The class whose bracket is at w->i, into a parent class or out. */
static bool
class_into(struct lm_onig *w, struct bag *parent, struct lm_buf *out)
{
	enum { MOST = 8 };
	struct bag part[MOST] = { 0 };
	bool negated = false, ok;
	unsigned parts = 0;

	if (w->classes == LM_ONIG_CLASSES)
		return lm_onig_fail(w, "classes nested too deep");
	w->classes++;
	w->i++;
	if (w->i < w->n && w->p[w->i] == '^') {
		negated = true;
		w->i++;
	}
	for (;;) {
		ok = class_union(w, &part[parts], parts == 0);
		parts++;
		if (!ok || w->p[w->i] == ']')
			break;
		if (parts == MOST) {
			ok = lm_onig_fail(w, "too many && in a class");
			break;
		}
		w->i += 2;
	}
	if (ok) {
		w->i++;
		ok = class_finish(w, part, parts, negated, parent, out);
	}
	for (unsigned k = 0; k < parts; k++) {
		lm_buf_free(&part[k].items);
		lm_buf_free(&part[k].alts);
	}
	w->classes--;
	return ok;
}

bool
lm_onig_class(struct lm_onig *w)
{
	return class_into(w, NULL, w->out);
}
