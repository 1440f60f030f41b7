// SPDX-License-Identifier: BSD-2-Clause
/*
 * LibelfSearch.c - what libelf.a of elfutils 0.192 (Debian 13) uses and does not contain: search trees, in which libelf
 * keeps what it has read of a file in pieces. The Makefile links it where libelf.a cannot be linked without, so that
 * the tool needs no shared libelf there either. It can go with Debian 13.
 *
 * A tree begins with its root. Elfutils can have a lock behind it, which is for files that several threads use at once.
 */
#include <search.h>
#include <stddef.h>

struct search_tree {
    void *root;
};

typedef int (*compare_fn)(const void *, const void *);

void eu_search_tree_init(struct search_tree *tree);
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *node));
void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn compare);
void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn compare);

void eu_search_tree_init(struct search_tree *tree)
{
    tree->root = NULL;
}

void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *node))
{
    tdestroy(tree->root, free_node);
    tree->root = NULL;
}

void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn compare)
{
    return tsearch(key, &tree->root, compare);
}

void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn compare)
{
    return tdelete(key, &tree->root, compare);
}
