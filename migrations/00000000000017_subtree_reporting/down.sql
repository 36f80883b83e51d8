DROP TABLE subtree_reporting;
