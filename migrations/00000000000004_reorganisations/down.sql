DROP TABLE succession;
DROP TABLE reorganisation;
