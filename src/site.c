/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site.c - names of the places whose values can be looked at.
 */
#include "config.h"

#include "src/lm.h"

#include <string.h>

static const char *const names[LM_NSITES] = {
#define X(id, text) [LM_SITE_##id] = text,
	LM_SITES(X)
#undef X
};

const char *
lm_site_name(enum lm_site s)
{
	return names[s];
}

bool
lm_site_find(const char *name, enum lm_site *out)
{
	for (int i = 0; i < LM_NSITES; i++)
		if (strcmp(names[i], name) == 0) {
			*out = (enum lm_site)i;
			return true;
		}
	return false;
}
