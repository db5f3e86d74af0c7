# SPDX-License-Identifier: Apache-2.0
# schema_sql.awk - schema.sql as a C string: a literal a line, comments left out.
{
	sub(/[ \t]*--.*/, "")
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	if (NF)
		print "\"" $0 "\\n\""
}
