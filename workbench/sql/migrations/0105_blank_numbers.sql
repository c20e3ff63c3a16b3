-- Whether a formula field reads blank numbers as zero; NULL where no pull has said so since.
ALTER TABLE salesforce.field ADD COLUMN blank_is_zero BOOLEAN;
