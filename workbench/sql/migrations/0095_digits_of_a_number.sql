-- How many digits a number field holds, and how many of them after the point; NULL until the next pull.
ALTER TABLE salesforce.field ADD COLUMN "precision" BIGINT;
ALTER TABLE salesforce.field ADD COLUMN "scale" BIGINT;
