DROP TABLE rollup_year;
