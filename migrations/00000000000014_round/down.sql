DROP TABLE holiday_year;
