/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vocab_steps.c - each step of a tokenizer.json on its own, in tokenizers of a dozen tokens
 * that the test writes, with ids that can be reasoned out.
 *
 * The tokens are mostly single characters, so that the ids of a text show what the steps made of
 * it. JSON is written with ' for ", which tok_open turns round.
 */
#include "config.h"

#include "tests/tok.h"

#define VOCAB "{'a':0,'b':1,'c':2,'x':3,'_':4,' ':5,'-':6,'e':7,'\\u0301':8,'\\u00e9':9," \
	"'\\u2581':10,'X':11,'1':12,'2':13,'\\u00b2':14,'.':15,'\\u0000':16,'ab':17,'bc':18," \
	"'abc':19,'\\u2581a':20,'cc':21}"
#define MERGES "['b c','a b','a bc','\\u2581 a','c c']"
#define BPE(more) "'model':{'type':'BPE'" more ",'vocab':" VOCAB ",'merges':" MERGES "}"
#define TOK(fields) "{'version':'1.0'," fields "," BPE("") "}"
#define NORM(n) TOK("'normalizer':" n)
#define PRE(p) TOK("'pre_tokenizer':" p)
#define SPLIT(pattern, behavior, invert) PRE("{'type':'Split','pattern':" pattern \
	",'behavior':'" behavior "','invert':" invert "}")
#define ADDED(flags) "{'added_tokens':[{'id':22,'content':'X'" flags "}]," BPE("") "}"
#define LOWER_ADDED(flags) "{'normalizer':{'type':'Lowercase'},'added_tokens':[{'id':22," \
	"'content':'Q'" flags "}]," BPE("") "}"

/* Pieces cannot be seen from outside, but merges do not cross them: c c within one piece is 21. */
static const struct row {
	const char *json, *text, *ids;
} rows[] = {
	/* merges: b c is first, then a with bc; ab is left where no c follows */
	{ "{" BPE("") "}", "abc", "19" },
	{ "{" BPE("") "}", "ab", "17" },
	{ "{" BPE("") "}", "aabcb", "0 19 1" },
	{ "{" BPE("") "}", "", "" },
	/* no unk: what is not known vanishes, and its neighbours meet */
	{ "{" BPE("") "}", "aqb", "17" },
	{ "{" BPE(",'unk_token':'x'") "}", "aqqb", "0 3 3 1" },
	{ "{" BPE(",'unk_token':'x','fuse_unk':true") "}", "aqqb", "0 3 1" },
	/* a model without a type is BPE; the last of two equal merges counts */
	{ "{'model':{'vocab':{'a':0,'b':1,'c':2,'ab':3,'bc':4},'merges':['a b','b c',"
	    "'a b']}}", "abc", "0 4" },
	/* a comment of merges.txt is none of them */
	{ "{'model':{'vocab':{'a':0,'b':1,'ab':2},'merges':['#version: 0.2','a b']}}", "ab",
	    "2" },
	/* merges may come before the vocabulary */
	{ "{'model':{'merges':[['a','b']],'vocab':{'a':0,'b':1,'ab':2}}}", "ab", "2" },
	/* ignore_merges: a piece that is a token is that token, though no merge makes it */
	{ "{'model':{'ignore_merges':true,'vocab':{'a':0,'b':1,'ab':2},'merges':[]}}", "ab",
	    "2" },
	{ "{'model':{'ignore_merges':true,'vocab':{'a':0,'b':1,'ab':2},'merges':[]}}", "aba",
	    "0 1 0" },
	/* byte_fallback: all bytes of a character or none of them */
	{ "{'model':{'byte_fallback':true,'unk_token':'u','vocab':{'a':0,'u':1,'<0xC3>':2,"
	    "'<0xA9>':3},'merges':[]}}", "a\xc3\xa9", "0 2 3" },
	{ "{'model':{'byte_fallback':true,'unk_token':'u','vocab':{'a':0,'u':1,'<0xC3>':2,"
	    "'<0xA9>':3},'merges':[]}}", "a\xc3\xa8", "0 1" },
	/* a lone byte that is no UTF-8 is a character of its own */
	{ "{'model':{'byte_fallback':true,'unk_token':'u','vocab':{'a':0,'u':1,'<0xC3>':2,"
	    "'<0xA9>':3},'merges':[]}}", "a\xc3" "a\xff", "0 2 0 1" },
	/* affixes: a, ##b</w> are the first and the last character; they join to ab</w> */
	{ "{'model':{'continuing_subword_prefix':'##','end_of_word_suffix':'</w>','vocab':"
	    "{'a':0,'##b</w>':1,'ab</w>':2,'a</w>':3},'merges':[['a','##b</w>']]}}", "ab", "2" },
	{ "{'model':{'continuing_subword_prefix':'##','end_of_word_suffix':'</w>','vocab':"
	    "{'a':0,'##b</w>':1,'ab</w>':2,'a</w>':3},'merges':[['a','##b</w>']]}}", "a", "3" },
	/* the prefix may follow the merges that it changes */
	{ "{'model':{'vocab':{'a':0,'##b':1,'ab':2},'merges':[['a','##b']],"
	    "'continuing_subword_prefix':'##'}}", "ab", "2" },

	/* Unigram: ab is better than a b (-2.5 against -3); two unknown characters are one unk */
	{ "{'model':{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0],['a',-1],['b',-2],"
	    "['ab',-2.5]]}}", "abaqqb", "3 1 0 2" },
	{ "{'model':{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0],['a',-1],['b',-2],"
	    "['ab',-3.5]]}}", "ab", "1 2" },
	/* bytes stand for a row of unknown characters only when all of them exist */
	{ "{'model':{'type':'Unigram','unk_id':0,'byte_fallback':true,'vocab':[['<unk>',0],"
	    "['a',-1],['<0x71>',-9]]}}", "aqaqz", "1 2 1 0" },

	/* normalizers */
	{ NORM("{'type':'NFC'}"), "e\xcc\x81", "9" },
	{ NORM("{'type':'NFD'}"), "\xc3\xa9", "7 8" },
	{ NORM("{'type':'NFKC'}"), "\xc2\xb2" "e\xcc\x81", "13 9" },
	{ NORM("{'type':'NFKD'}"), "\xc2\xb2\xc3\xa9", "13 7 8" },
	{ NORM("{'type':'NFC'}"), "\xc2\xb2", "14" },
	{ NORM("{'type':'NFC'}"), "a\xff" "e\xcc\x81\xff", "0 9" },
	{ NORM("{'type':'Lowercase'}"), "ABC", "19" },
	{ NORM("{'type':'Strip','strip_left':true,'strip_right':false}"), "  a ", "0 5" },
	{ NORM("{'type':'Strip','strip_left':false,'strip_right':true}"), " \xc3\xa9 \xe3\x80\x80",
	    "5 9" },
	{ NORM("{'type':'Sequence','normalizers':[{'type':'NFD'},{'type':'StripAccents'}]}"),
	    "\xc3\xa9", "7" },
	{ NORM("{'type':'Prepend','prepend':'\\u2581'}"), "ab", "10 17" },
	{ NORM("{'type':'Prepend','prepend':'\\u2581'}"), "", "" },
	{ NORM("{'type':'Replace','pattern':{'String':' '},'content':'_'}"), "a  b", "0 4 4 1" },
	{ NORM("{'type':'Replace','pattern':{'Regex':' +'},'content':'_'}"), "a  b", "0 4 1" },
	/* a pattern that matches nothing matches between all, but not right after a match */
	{ NORM("{'type':'Replace','pattern':{'Regex':'b*'},'content':'x'}"), "abba", "3 0 3 0 3" },

	/* Split: c-c--c by the dash; the pieces are given after each */
	{ SPLIT("{'String':'-'}", "Removed", "false"), "c-cc--c", "2 21 2" },	/* c cc c */
	{ SPLIT("{'String':'-'}", "Isolated", "false"), "c-cc--c", "2 6 21 6 6 2" },
	{ SPLIT("{'Regex':'c'}", "Removed", "false"), "acca-", "0 0 6" },
	/* a regex for each c: isolated they never meet; contiguous they are one piece */
	{ SPLIT("{'Regex':'c'}", "Isolated", "false"), "cc", "2 2" },
	{ SPLIT("{'Regex':'c'}", "Contiguous", "false"), "cc", "21" },
	/* the c joins what is before it, a second one stands alone: ac, c | then the other way */
	{ SPLIT("{'Regex':'c'}", "MergedWithPrevious", "false"), "bcc", "18 2" },
	{ SPLIT("{'Regex':'b'}", "MergedWithNext", "false"), "bbc", "1 18" },
	/* inverted, all but the dashes matches */
	{ SPLIT("{'String':'-'}", "Removed", "true"), "c-c", "6" },
	{ SPLIT("{'String':'-'}", "Isolated", "true"), "cc-cc", "21 6 21" },
	/*
	 * classes that intersect and nest: letters but vowels, not a nor what is in the inner class
	 */
	{ SPLIT("{'Regex':'[a-z&&[^ae]]+'}", "Removed", "false"), "abcea", "0 7 0" },
	{ SPLIT("{'Regex':'[^a[bc]]'}", "Removed", "false"), "axbec-", "0 1 2" },
	/* {1,2}+ repeats the interval, it is not possessive */
	{ SPLIT("{'Regex':'c{1,2}+'}", "Removed", "false"), "accca", "0 0" },
	/* \h is a hexadecimal digit; \s is White_Space: U+0085 but not U+180E */
	{ SPLIT("{'Regex':'\\\\h'}", "Removed", "false"), "abcx", "3" },
	{ "{'pre_tokenizer':{'type':'Split','pattern':{'Regex':'\\\\s'},'behavior':'Removed',"
	    "'invert':false}," BPE(",'unk_token':'x'") "}", "a\xc2\x85" "b\xe1\xa0\x8e" "c",
	    "0 1 3 2" },
	/* ^ and $ are the ends of lines */
	{ SPLIT("{'Regex':'^a'}", "Removed", "false"), "aba\na", "1 0" },

	/* the other splitters; c c would be 21 in one piece */
	{ PRE("{'type':'Digits','individual_digits':true}"), "c12\xc2\xb2" "cc", "2 12 13 14 21" },
	{ PRE("{'type':'Punctuation'}"), "cc.c", "21 15 2" },
	{ PRE("{'type':'Punctuation','behavior':'Removed'}"), "c.c", "2 2" },
	{ PRE("{'type':'Whitespace'}"), "cc. c", "21 15 2" },
	{ PRE("{'type':'WhitespaceSplit'}"), " c. c ", "2 15 2" },
	{ PRE("{'type':'BertPreTokenizer'}"), "c.c c", "2 15 2 2" },
	{ PRE("{'type':'CharDelimiterSplit','delimiter':'-'}"), "c-cc", "2 21" },
	{ PRE("{'type':'Sequence','pretokenizers':[{'type':'WhitespaceSplit'},{'type':'Digits',"
	    "'individual_digits':false}]}"), "12 c1", "12 13 2 12" },

	/*
	 * Metaspace: always, only at the start of the text, never; old files with add_prefix_space
	 */
	{ PRE("{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'always'}"), "a a",
	    "20 20" },
	{ PRE("{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'never'}"), "a a",
	    "0 20" },
	{ PRE("{'type':'Metaspace','replacement':'\\u2581','add_prefix_space':false}"), "a a",
	    "0 20" },
	{ PRE("{'type':'Metaspace','replacement':'\\u2581','add_prefix_space':true}"), " a", "20" },
	{ PRE("{'type':'Metaspace','replacement':'_','prepend_scheme':'never','split':false}"),
	    "c c", "2 4 2" },
	{ "{'pre_tokenizer':{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'first'},"
	    "'added_tokens':[{'id':22,'content':'X','special':true}]," BPE("") "}", "aXa",
	    "20 11 0" },
	{ "{'pre_tokenizer':{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'first'},"
	    "'added_tokens':[{'id':22,'content':'X','special':true}]," BPE("") "}", "Xa", "11 0" },

	/* added tokens: the model's id when it has one (X is 11), else the next (22) */
	{ ADDED(""), "aXb", "0 11 1" },
	{ ADDED(",'lstrip':true"), "a  X b", "0 11 5 1" },
	{ ADDED(",'rstrip':true"), "a X  b", "0 5 11 1" },
	{ ADDED(",'single_word':true"), "X aX X", "11 5 0 11 5 11" },
	{ "{'added_tokens':[{'id':22,'content':'bb'},{'id':23,'content':'bbc'}]," BPE("") "}",
	    "abbcbb", "0 23 22" },
	/* normalized: Q matches q in the lower-cased text; not normalized: only Q itself */
	{ LOWER_ADDED(",'normalized':true"), "aqQ", "0 22 22" },
	{ LOWER_ADDED(",'normalized':false"), "aqQ", "0 22" },
	{ LOWER_ADDED(",'special':true"), "aqQ", "0 22" },
};

static void
test_rows(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lm_vocab *v = tok_open(rows[i].json);
		const char *got = tok_ids(v, rows[i].text, strlen(rows[i].text), false);

		if (strcmp(got, rows[i].ids) != 0) {
			bad++;
			print_message("row %zu, %s: %s found, %s wanted\n%s\n", i, rows[i].text,
			    got,
			    rows[i].ids, rows[i].json);
		}
		lm_vocab_close(v);
	}
	assert_int_equal(bad, 0);
}

/* U+0000 is a character like others, in vocabularies and in texts. */
static void
test_zero(void **state)
{
	lm_vocab *v = tok_open("{" BPE("") "}");
	uint32_t id;

	(void)state;
	assert_string_equal(tok_ids(v, "a\0b\0", 4, false), "0 16 1 16");
	assert_true(lm_vocab_find(v, "\0", 1, &id) && id == 16);
	lm_vocab_close(v);
}

/* ---- ByteLevel ------------------------------------------------------------------------------ */

/* Every byte by its character, from id 0 on, then blank + a, a + b and two that are added. */
static lm_vocab *
open_bytes(const char *pre)
{
	struct lm_buf b = { 0 };
	lm_vocab *v;
	unsigned extra = 0;

	assert_true(lm_buf_printf(&b, NULL, "{'pre_tokenizer':%s,'decoder':{'type':'ByteLevel'},"
	    "'added_tokens':[{'id':258,'content':'<s>','special':true},"
	    "{'id':259,'content':'  ','normalized':true}],'model':{'type':'BPE','vocab':{", pre));
	for (unsigned i = 0; i < 256; i++) {
		bool self = (i > 32 && i < 127) || (i > 160 && i != 173);

		assert_true(lm_buf_printf(&b, NULL, "'\\u%04x':%u,", self ? i : 256 + extra, i));
		extra += !self;
	}
	assert_true(lm_buf_str(&b, "'\\u0120a':256,'ab':257},'merges':['\\u0120 a','a b']}}",
	    NULL));
	v = tok_open(b.p);
	lm_buf_free(&b);
	return v;
}

static void
test_byte_level(void **state)
{
	static const char any[] = "\x00\x80\xff\xc3\xa9 \xe2\x82 a";
	struct lm_ids ids = { 0 };
	struct lm_buf bytes = { 0 }, text = { 0 };
	struct lm_err err = { 0 };
	lm_vocab *v;
	size_t n;

	(void)state;
	v = open_bytes("{'type':'ByteLevel','add_prefix_space':false}");
	assert_string_equal(tok_ids(v, "ab ab", 5, false), "257 256 98");
	assert_string_equal(tok_ids(v, "\xc3\xa9", 2, false), "195 169");
	/* The blank of "  " is a token; the second row begins where the first ends. */
	assert_string_equal(tok_ids(v, "a   a", 5, false), "97 259 256");
	assert_string_equal(tok_ids(v, "<s>a", 4, false), "258 97");
	assert_true(lm_vocab_encode(v, any, sizeof(any) - 1, false, &ids, &err));
	assert_true(lm_vocab_decode(v, ids.v, ids.n, true, &bytes, &text, &err));
	assert_int_equal(bytes.len, sizeof(any) - 1);
	assert_memory_equal(bytes.p, any, bytes.len);
	/* 80, ff and the cut e2 82 are one U+FFFD each. */
	assert_int_equal(text.len, 1 + 2 * 3 + 2 + 1 + 3 + 2);
	assert_memory_equal(text.p, "\0\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9 \xef\xbf\xbd a", text.len);
	assert_memory_equal(lm_vocab_piece(v, 256, &n), " a", 2);
	assert_memory_equal(lm_vocab_piece(v, 255, &n), "\xff", 1);
	lm_vocab_close(v);
	lm_ids_free(&ids);
	lm_buf_free(&bytes);
	lm_buf_free(&text);

	v = open_bytes("{'type':'ByteLevel','add_prefix_space':true}");
	assert_string_equal(tok_ids(v, "ab", 2, false), "256 98");
	assert_string_equal(tok_ids(v, " ab", 3, false), "256 98");
	assert_string_equal(tok_ids(v, "b<s>a", 5, false), "32 98 258 256");
	lm_vocab_close(v);
	/* In front of a splitter it spells the bytes out: \xc2 then is a letter, \xb2 a number. */
	v = open_bytes("{'type':'Sequence','pretokenizers':[{'type':'ByteLevel',"
	    "'add_prefix_space':false,'use_regex':false},{'type':'Split','pattern':{'Regex':"
	    "'\\\\p{N}'},'behavior':'Removed','invert':false}]}");
	assert_string_equal(tok_ids(v, "a\xc2\xb2 a", 5, false), "97 194 256");
	lm_vocab_close(v);
}

/* ---- post-processors ------------------------------------------------------------------------ */

static void
test_post(void **state)
{
	static const struct {
		const char *post, *ids;
	} cases[] = {
		{ "null", "17" },
		{ "{'type':'ByteLevel','trim_offsets':true}", "17" },
		{ "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'p','type_id':0}},"
		    "{'Sequence':{'id':'A','type_id':0}},{'SpecialToken':{'id':'q','type_id':0}}],"
		    "'special_tokens':{'p':{'id':'p','ids':[3,4]},'q':{'id':'q','ids':[6]}}}",
		    "3 4 17 6" },
		{ "{'type':'RobertaProcessing','sep':['-',6],'cls':['_',4]}", "4 17 6" },
		{ "{'type':'Sequence','processors':[{'type':'ByteLevel'},{'type':'BertProcessing',"
		    "'sep':['-',6],'cls':['_',4]},{'type':'BertProcessing','sep':['x',3],"
		    "'cls':['e',7]}]}", "7 4 17 6 3" },
		/* the text twice, as the library does it */
		{ "{'type':'TemplateProcessing','single':[{'Sequence':{'id':'A','type_id':0}},"
		    "{'Sequence':{'id':'A','type_id':0}}],'special_tokens':{}}", "17 17" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lm_buf json = { 0 };
		lm_vocab *v;

		assert_true(lm_buf_printf(&json, NULL, "{'post_processor':%s,", cases[i].post) &&
		    lm_buf_str(&json, BPE("") "}", NULL));
		v = tok_open(json.p);
		assert_string_equal(tok_ids(v, "ab", 2, true), cases[i].ids);
		assert_string_equal(tok_ids(v, "ab", 2, false), "17");
		lm_vocab_close(v);
		lm_buf_free(&json);
	}
}

/* ---- decoders ------------------------------------------------------------------------------- */

#define DEC_VOCAB "'model':{'vocab':{'\\u2581a':0,'b':1,'<0xC3>':2,'<0xA9>':3,'\\u2581':4," \
	"'s</w>':5,'<s>':6},'merges':[]},'added_tokens':[{'id':6,'content':'<s>'," \
	"'special':true}]}"

static void
test_decoders(void **state)
{
	static const struct {
		const char *decoder;
		uint32_t ids[4];
		size_t n;
		const char *text, *skipped;	/* with special tokens, and without */
	} cases[] = {
		/* none: tokens with blanks between */
		{ "null", { 0, 6, 1 }, 3, "\xe2\x96\x81" "a <s> b", "\xe2\x96\x81" "a b" },
		{ "{'type':'Fuse'}", { 0, 1 }, 2, "\xe2\x96\x81" "ab", NULL },
		{ "{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'always'}",
		    { 0, 4, 0, 1 }, 4, "a  ab", NULL },
		{ "{'type':'Metaspace','replacement':'\\u2581','prepend_scheme':'never'}", { 0, 0 },
		    2,
		    " a a", NULL },
		{ "{'type':'ByteFallback'}", { 1, 2, 3, 1 }, 4, "b\xc3\xa9" "b", NULL },
		/* a run that is no UTF-8 as a whole gives U+FFFD for each byte of it */
		{ "{'type':'ByteFallback'}", { 2, 3, 2, 1 }, 4,
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" "b", NULL },
		{ "{'type':'Replace','pattern':{'String':'\\u2581'},'content':' '}", { 0, 4 }, 2,
		    " a ", NULL },
		{ "{'type':'Replace','pattern':{'Regex':'[ab]'},'content':''}", { 1, 0, 6 }, 3,
		    "\xe2\x96\x81<s>", "\xe2\x96\x81" },
		/* Strip looks at each token, and after Fuse at the whole text */
		{ "{'type':'Strip','content':'b','start':1,'stop':0}", { 1, 1, 0 }, 3,
		    "\xe2\x96\x81" "a", NULL },
		{ "{'type':'Sequence','decoders':[{'type':'Fuse'},{'type':'Strip','content':'b',"
		    "'start':1,'stop':1}]}", { 1, 1, 1 }, 3, "b", NULL },
		{ "{'type':'BPEDecoder','suffix':'</w>'}", { 1, 5, 1, 5 }, 4, "bs bs", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lm_buf json = { 0 }, text = { 0 };
		struct lm_err err = { 0 };
		lm_vocab *v;

		assert_true(lm_buf_printf(&json, NULL, "{'decoder':%s,", cases[i].decoder) &&
		    lm_buf_str(&json, DEC_VOCAB, NULL));
		v = tok_open(json.p);
		assert_true(lm_vocab_decode(v, cases[i].ids, cases[i].n, true, NULL, &text, &err));
		assert_string_equal(text.p, cases[i].text);
		text.len = 0;
		assert_true(lm_vocab_decode(v, cases[i].ids, cases[i].n, false, NULL, &text, &err));
		assert_string_equal(text.p, cases[i].skipped ? cases[i].skipped : cases[i].text);
		assert_false(lm_vocab_decode(v, (const uint32_t[]){ 7 }, 1, true, NULL, &text,
		    &err));
		assert_int_equal(err.code, LM_EARG);
		lm_vocab_close(v);
		lm_buf_free(&json);
		lm_buf_free(&text);
	}
}

/* ---- what stands beside --------------------------------------------------------------------- */

static void
test_config(void **state)
{
	struct lm_err err = { 0 };
	const char *text;
	lm_vocab *v;
	size_t n;

	(void)state;
	tok_write_json("tokenizer_config.json", "{'bos_token':{'content':'X','lstrip':false},"
	    "'eos_token':'\\u0000','pad_token':null,'unk_token':'absent','chat_template':"
	    "[{'name':'default','template':'{{ 1 }}\\n'},{'name':'rag','template':'r'}]}");
	tok_write_json("special_tokens_map.json", "{'pad_token':'-','bos_token':'a'}");
	v = tok_open("{" BPE("") "}");
	assert_int_equal(lm_vocab_role(v, LM_BOS), 11);
	assert_int_equal(lm_vocab_role(v, LM_EOS), 16);
	assert_int_equal(lm_vocab_role(v, LM_PAD), 6);
	assert_int_equal(lm_vocab_role(v, LM_UNK), -1);
	assert_int_equal(lm_vocab_role(v, LM_EOT), -1);
	text = lm_vocab_chat_template(v, NULL, &n);
	assert_int_equal(n, 8);
	assert_memory_equal(text, "{{ 1 }}\n", 8);
	assert_non_null(lm_vocab_chat_template(v, "rag", &n));
	assert_null(lm_vocab_chat_template(v, "tools", &n));
	lm_vocab_close(v);

	/* A template of its own file comes before that in the configuration. */
	tok_write_str("chat_template.jinja", "own");
	v = tok_open("{" BPE("") "}");
	text = lm_vocab_chat_template(v, NULL, &n);
	assert_true(n == 3 && memcmp(text, "own", 3) == 0);
	lm_vocab_close(v);

	tok_write_json("tokenizer_config.json", "{'bos_token':");
	assert_false(lm_vocab_open(&v, temp_path(""), &err));
	assert_non_null(strstr(err.msg, "tokenizer_config.json"));
	unlink(temp_path("tokenizer_config.json"));
	unlink(temp_path("special_tokens_map.json"));
	unlink(temp_path("chat_template.jinja"));
}

/* ---- what is refused ------------------------------------------------------------------------ */

static void
test_refused(void **state)
{
	static const struct {
		const char *json, *named;
		enum lm_code code;
	} cases[] = {
		{ NORM("{'type':'Nmt'}"), "normalizer Nmt", LM_EUNSUPPORTED },
		{ PRE("{'type':'UnicodeScripts'}"), "pre-tokenizer UnicodeScripts",
		    LM_EUNSUPPORTED },
		{ TOK("'decoder':{'type':'CTC'}"), "decoder CTC", LM_EUNSUPPORTED },
		{ TOK("'post_processor':{'type':'New'}"), "post-processor New", LM_EUNSUPPORTED },
		{ "{'model':{'type':'WordPiece','vocab':{'a':0}}}", "model WordPiece",
		    LM_EUNSUPPORTED },
		{ SPLIT("{'Regex':'(?~ab)'}", "Isolated", "false"), "(?~ab)", LM_EUNSUPPORTED },
		{ SPLIT("{'Regex':'(a'}", "Isolated", "false"), "(a", LM_EUNSUPPORTED },
		{ SPLIT("{'Regex':'a'}", "Sideways", "false"), "behavior Sideways",
		    LM_EUNSUPPORTED },
		{ "{'model':{'vocab':{'a':0},'merges':['a b']}}", "token b is not", LM_EFORMAT },
		{ "{'model':{'vocab':{'a':0,'b':1},'merges':['a b']}}", "makes ab", LM_EFORMAT },
		{ "{'model':{'vocab':{'a':0,'b':1},'merges':['a  b']}}", "one blank", LM_EFORMAT },
		{ "{'model':{'vocab':{'a':0}}}", "without merges", LM_EFORMAT },
		{ "{'model':{'vocab':{'a':-1},'merges':[]}}", "id -1", LM_EFORMAT },
		{ "{'model':{'vocab':{'a':4194304},'merges':[]}}", "id 4194304", LM_ELIMIT },
		{ "{'version':'1.0'}", "no model", LM_EFORMAT },
		{ "[]", "an array found, an object wanted", LM_EFORMAT },
		{ TOK("'post_processor':{'type':'BertProcessing','sep':['y',99],'cls':['a',0]}"),
		    "id 99", LM_EFORMAT },
	};
	struct lm_err err;
	lm_vocab *v;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tok_write_json("tokenizer.json", cases[i].json);
		assert_false(lm_vocab_open(&v, temp_path(""), &err));
		assert_null(v);
		if (!strstr(err.msg, cases[i].named) || strncmp(err.msg, temp_path(""),
		    strlen(temp_path(""))) != 0 ||
		    strchr(err.msg, '\n'))
			fail_msg("%s does not say %s", err.msg, cases[i].named);
		assert_int_equal(err.code, cases[i].code);
	}
	/* Named but missing: an error only where it is needed. */
	v = tok_open("{'model':{'unk_token':'u','vocab':{'a':0},'merges':[]}}");
	assert_string_equal(tok_ids(v, "aa", 2, false), "0 0");
	assert_false(lm_vocab_encode(v, "ab", 2, false, &(struct lm_ids){ 0 }, &err));
	lm_vocab_close(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_byte_level),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_decoders),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
