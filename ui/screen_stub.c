#include "config.h"
#include "ui/main.h"
int ui_screen(struct ui_start *s) { (void)s; return 1; }
