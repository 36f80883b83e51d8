-- received_on was the day of the latest step that counts, and is that of the first from now on: who
-- was in time stays so when it corrects. The latest is told beside it. The program fills both in for
-- what is there already, from the revisions (store/received_days.rs).
ALTER TABLE submission ADD COLUMN corrected_on DATE;
