DROP TABLE release_step;
DROP TABLE release_content;
DROP TABLE release;
