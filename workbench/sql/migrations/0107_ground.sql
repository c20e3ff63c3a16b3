-- What decided about every record of a preview besides values and mapping (engine/ground.py), as a digest; none for
-- previews of earlier versions, which are no baseline for a look at what changed.
CREATE TABLE preview.ground (preview_id INTEGER, ground VARCHAR);
