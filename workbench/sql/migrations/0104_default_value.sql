-- What a new record holds that is not given the field, '' for a blank; NULL where a formula says it, or no pull since.
ALTER TABLE salesforce.field ADD COLUMN default_value VARCHAR;
