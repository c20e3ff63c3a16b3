"""Invented people, schools and sentences. Each name stands beside its plain form for addresses."""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = (
    ("Ana", "ana"), ("José", "jose"), ("Zoë", "zoe"), ("Łukasz", "lukasz"), ("Nguyễn", "nguyen"), ("李", "li"),
    ("Søren", "soren"), ("Chloé", "chloe"), ("محمد", "mohammed"), ("נועה", "noa"), ("Mary Ann", "maryann"),
    ("D'Andre", "dandre"), ("Jean-Luc", "jeanluc"), ("Ömer", "omer"), ("Siân", "sian"), ("Ava", "ava"),
    ("Noah", "noah"), ("Emma", "emma"), ("Liam", "liam"), ("Olivia", "olivia"), ("Mateo", "mateo"), ("Mia", "mia"),
    ("Elijah", "elijah"), ("Amara", "amara"), ("Lucas", "lucas"), ("Sofia", "sofia"), ("Mason", "mason"),
    ("Camila", "camila"), ("Ethan", "ethan"), ("Aisha", "aisha"), ("Jayden", "jayden"), ("Grace", "grace"),
    ("Priya", "priya"), ("Malik", "malik"), ("Hannah", "hannah"), ("Diego", "diego"), ("Naomi", "naomi"),
    ("Isaac", "isaac"), ("Leila", "leila"), ("Caleb", "caleb"), ("Ximena", "ximena"), ("Owen", "owen"),
    ("Fatima", "fatima"), ("Wyatt", "wyatt"), ("Ruby", "ruby"), ("Andre", "andre"), ("Yuki", "yuki"),
    ("Omar", "omar"), ("Ingrid", "ingrid"), ("Tyrese", "tyrese"), ("Bo", "bo"), ("Kai", "kai"),
)  # fmt: skip
LAST_NAMES: Final = (
    ("O'Brien", "obrien"), ("Lopez", "lopez"), ("Muñoz", "munoz"), ("李", "li"), ("García Márquez", "garciamarquez"),
    ("van der Berg", "vanderberg"), ("Nguyễn", "nguyen"), ("Smith-Jones", "smithjones"), ("Şahin", "sahin"),
    ("Kowalczyk", "kowalczyk"), ("خان", "khan"), ("Ødegård", "odegard"), ("MacLeod", "macleod"), ("St. John", "stjohn"),
    ("Johnson", "johnson"), ("Williams", "williams"), ("Brown", "brown"), ("Okafor", "okafor"), ("Miller", "miller"),
    ("Davis", "davis"), ("Hernandez", "hernandez"), ("Wilson", "wilson"), ("Anderson", "anderson"),
    ("Thomas", "thomas"), ("Taylor", "taylor"), ("Moore", "moore"), ("Jackson", "jackson"), ("Martin", "martin"),
    ("Lee", "lee"), ("Perez", "perez"), ("Thompson", "thompson"), ("White", "white"), ("Harris", "harris"),
    ("Sanchez", "sanchez"), ("Clark", "clark"), ("Ramirez", "ramirez"), ("Lewis", "lewis"), ("Robinson", "robinson"),
    ("Walker", "walker"), ("Young", "young"), ("Allen", "allen"), ("King", "king"), ("Wright", "wright"),
    ("Scott", "scott"), ("Torres", "torres"), ("Hill", "hill"), ("Flores", "flores"), ("Green", "green"),
    ("Adams", "adams"), ("Nelson", "nelson"), ("Baker", "baker"), ("Patel", "patel"), ("Kim", "kim"),
)  # fmt: skip
PREFERRED_NAMES: Final = ("Annie", "Joe", "Zee", "Luke", "Win", "Mo", "Dre", "JL", "Sunny", "Ace", "Kit", "Sam", "Max")
MAIL_HOSTS: Final = ("example.edu", "students.example.edu", "mail.example.org", "example.com", "example.net")
HIGH_SCHOOLS: Final = (
    "North High", "Lincoln High School", "St. Mary's Academy", "Jefferson Senior High", "West Side Prep",
    "Booker T. Washington", "Roosevelt High", 'Escuela Superior "La Paz"', "Riverdale High", "Eastview", "Central",
    "Franklin & Marshall Prep", "Homeschool", "Mountain View Charter",
)  # fmt: skip
PLACES: Final = (
    "Harbor", "Lakeside", "Piedmont", "Prairie", "Redwood", "Summit", "Valley", "Cedar", "Granite", "Bayou", "Mesa",
    "Sunset", "Northshore", "Maple", "Juniper", "Canyon", "Delta", "Foothill", "Magnolia", "Sierra",
)  # fmt: skip
CITIES: Final = (
    ("Atlanta", "GA"),
    ("Boston", "MA"),
    ("El Paso", "TX"),
    ("Oakland", "CA"),
    ("Miami", "FL"),
    ("Reno", "NV"),
)
LANGUAGES: Final = ("en", "es", "fr", "zh", "vi", "ar", "ko", "pt")
NOTES: Final = (
    "Met at orientation.", "Prefers evenings; works mornings.", "Asked about housing & aid.", "First in family.",
    "Transfer credit pending\nsee transcript", 'Call back "after finals".',
)  # fmt: skip
STATUS_NOTES: Final = ("Complete", "Missing transcript", "In review")

INCOMING_TEXTS: Final = (
    "When is the FAFSA deadline?", "thanks!", "How do I register for classes?", "Yes", "No", "¿Hablan español?",
    "Can I change my major?", "my hold is still there 😟", "ok", "Where do I send my transcript?",
    "stop texting me pls",    "Who is my advisor?", "1", "I already did that.",
)  # fmt: skip
OUTGOING_TEXTS: Final = (
    "Register by Friday so that you keep your seat.", "Your FAFSA is due on March 1. Need help?",
    "Orientation starts at 9am in the main hall. 🎓", "You can pay in instalments: https://pay.example.edu",
    "I am checking with the office and will come back to you.", "Did you finish your housing form? (Yes/No)",
    "Tutoring is free, every weekday from 2 to 8.", "Great, you are all set!",
)  # fmt: skip
TOPICS: Final = ("Financial Aid", "Registration", "Housing", "Advising", "Orientation", "Tuition & Fees")
STAFF: Final = (("u1", "Dana Reyes", "dana.reyes@example.edu"), ("u2", "Lee O'Hara", "lee.ohara@example.edu"))
SCRIPTS: Final = (
    "Register reminder", "FAFSA check-in", "Orientation RSVP", "Housing form", "Welcome week", "Midterm pulse",
    "Tutoring offer", "Hold removal", "Graduation audit", "Parent night",
)  # fmt: skip
