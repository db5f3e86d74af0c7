/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c - creates the tables of schema.sql in an empty file.
 */
#include "config.h"

#include "index/db.h"

#include <stdio.h>

static const char schema[] =
#include "index/schema_sql.h"
    ;

static const char *const side_names[LM_NSIDES] = {
	[LM_SIDE_UP] = "up", [LM_SIDE_GATE] = "gate", [LM_SIDE_DOWN] = "down",
};

static bool
add_name(ix_db *db, const char *table, int id, const char *name, struct lm_err *err)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (%d, '%s')", table, id, name);
	return ix_exec(db, sql, err);
}

bool
ix_schema_create(ix_db *db, struct lm_err *err)
{
	char pragma[120];

	snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d; PRAGMA user_version = %d",
	    IX_APPLICATION_ID, IX_SCHEMA);
	if (!ix_exec(db, "BEGIN IMMEDIATE", err))
		return false;
	if (!ix_exec(db, pragma, err) || !ix_exec(db, schema, err))
		goto fail;
	for (int i = 0; i < LM_NSIDES; i++)
		if (!add_name(db, "side", i, side_names[i], err))
			goto fail;
	for (int i = 0; i < LM_NCLASSES; i++)
		if (!add_name(db, "class", i, lm_class_name((enum lm_class)i), err))
			goto fail;
	return ix_exec(db, "COMMIT", err);
fail:
	ix_exec(db, "ROLLBACK", NULL);
	return false;
}
