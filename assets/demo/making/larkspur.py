"""Larkspur Custom Homes: a made-up builder of custom homes in a made-up corner of the mountains."""

from __future__ import annotations

from assets.demo.making.accounts import ACCOUNTS
from assets.demo.making.plan import Code, Company, Job, Party

_DIVISIONS: dict[str, tuple[str, list[str | tuple[str, list[tuple[str, str]]]]]] = {
    "01": ("Before the first shovel", ["Plans and drafting", "Structural calculations", "Permit and impact fees", "Survey and staking", "Soil tests", "Builder's risk cover"]),
    "02": ("Ground", ["Clearing and stump removal", "Excavation and backfill", "Septic field", "Well and pump", "Utility trenching", "Driveway base", "Erosion control", ("Gravel and fill", [("Road base, ton", "24.50"), ("Washed drain rock, ton", "38.75"), ("Pit run fill, cubic yard", "16.20")])]),
    "03": ("Foundation", ["Footings", "Foundation walls", "Slab on grade", "Damp-proofing and drains", ("Ready-mix", [("4000 psi mix, cubic yard", "182.00"), ("Pump truck, hour", "215.00"), ("Fiber additive, cubic yard", "9.40")]), ("Rebar and anchors", [("#4 bar, 20 ft", "13.65"), ("Anchor bolt set", "6.85"), ("Hold-down strap", "22.40")])]),
    "04": ("Frame", ["Framing crew", "Stairs, rough", "Trusses and rafters", ("Lumber package", [("2x6x16 stud, kiln dried", "14.85"), ("LVL beam 1-3/4 x 14, foot", "11.25"), ("7/16 wall sheathing", "19.90"), ("3/4 subfloor sheet", "48.20")]), ("Connectors and fasteners", [("Joist hanger, box", "64.10"), ("Framing nails, carton", "71.50")]), "Steel beams and posts"]),
    "05": ("Shell", ["Roof covering", "Gutters and flashing", "Siding and trim", "Stone veneer", ("Windows", [("Casement, clad", "1085.00"), ("Picture unit, clad", "1640.00"), ("Sliding door, 12 ft", "6950.00")]), "Exterior doors", "Garage doors"]),
    "06": ("Pipes, wires and air", ["Plumbing rough-in", "Plumbing finish", "Gas piping", "Heating and cooling", "Electrical rough-in", "Electrical finish", "Low-voltage and network", "Solar and battery", "Fire sprinklers, home"]),
    "07": ("Closing in", ["Insulation and air sealing", "Drywall hang and finish", "Interior paint", "Exterior paint and stain"]),
    "08": ("Floors and trim", ["Wood floors", "Tile and stone", "Carpet", "Trim carpentry", ("Trim and interior doors", [("Solid-core door, prehung", "412.00"), ("Poplar casing, foot", "3.85"), ("Base 5-1/4, foot", "4.40")]), "Finish stairs and rails"]),
    "09": ("Cabinets and tops", ["Cabinets", "Countertops", "Closets and shelving", ("Cabinet hardware", [("Bar pull", "14.20"), ("Soft-close hinge pair", "11.60")])]),
    "10": ("Fixtures and appliances", ["Light fixtures", ("Plumbing fixtures", [("Wall-hung toilet", "965.00"), ("Shower trim set", "548.00"), ("Freestanding tub", "2890.00")]), "Appliances", "Mirrors and glass", "Fireplaces"]),
    "11": ("Outside", ["Decks and railings", "Concrete flatwork", "Planting and irrigation", "Fences and gates", "Retaining walls"]),
    "12": ("Running the job", ["Site supervision", "Dumpsters and hauling", "Portable toilets", "Temporary power", "Equipment rental", "Final cleaning", "Small tools and supplies"]),
    "13": ("After handover", ["Punch list", "Warranty call-backs", "Owner's allowance changes"]),
}  # fmt: skip

_COST_TYPES = {"01": "Other", "12": "Overhead"}

CODES = tuple(
    Code(
        code=f"{division}-{100 + 10 * place}",
        name=item if isinstance(item, str) else item[0],
        division=f"{division} {title}",
        cost_type="Material" if not isinstance(item, str) else _COST_TYPES.get(division, "Subcontract"),
        items=() if isinstance(item, str) else tuple(item[1]),
    )
    for division, (title, items) in _DIVISIONS.items()
    for place, item in enumerate(items)
)

CLIENTS = (
    Party("Marguerite and Theo Ashdown", "ashdowns@example.com", "(555) 301-0111", "18 Elk Trace", "Pinyon Falls", "CO", "80499"),
    Party("Dr. Priya Raghunathan", "priya.r@example.com", "(555) 301-0112", "402 Upper Meadow Rd", "Pinyon Falls", "CO", "80499"),
    Party("Bertrand Quillon", "bq@example.com", "(555) 301-0113", "7 Kestrel Way", "Sable Creek", "CO", "80498"),
    Party("The Oyelaran Family Trust", "trustee@example.com", "(555) 301-0114", "PO Box 88", "Sable Creek", "CO", "80498"),
    Party("Winifred Castellane", "wcast@example.com", "(555) 301-0115", "55 Tamarack Loop", "Pinyon Falls", "CO", "80499"),
    Party("Hollis and June Verbeke", "verbeke@example.com", "(555) 301-0116", "210 Quarry Spur", "Grouse Landing", "CO", "80497"),
    Party("Sorenmark Holdings LLC", "office@sorenmark.example", "(555) 301-0117", "1 Depot Plaza", "Grouse Landing", "CO", "80497"),
    Party("Anneliese Thorvald", "anneliese@example.com", "(555) 301-0118", "93 Switchback Ln", "Pinyon Falls", "CO", "80499"),
    Party("Mateo Ibarrondo", "mateo.i@example.com", "(555) 301-0119", "31 Willow Bend", "Sable Creek", "CO", "80498"),
    Party("Fairweather Residence: Guest House", "fairweather@example.com", "(555) 301-0120", "640 Ridgeline Dr", "Pinyon Falls", "CO", "80499"),
    Party("Cordelia Whitlock-Sato", "cws@example.com", "(555) 301-0121", "12 Osprey Ct", "Grouse Landing", "CO", "80497"),
    Party("Lucian Fenwright", "lucian@example.com", "(555) 301-0122", "88 Antler Pass", "Sable Creek", "CO", "80498"),
    Party("Odalys and Pim van Houten", "pim@example.com", "(555) 301-0123", "14 Columbine Rise", "Pinyon Falls", "CO", "80499"),
    Party("Granite Spoke Ranch", "ranch@granitespoke.example", "(555) 301-0124", "2000 County Road 9", "Grouse Landing", "CO", "80497"),
    Party("Everett Palmgren", "palmgren@example.com", "(555) 301-0125", "5 Lodgepole Ct", "Sable Creek", "CO", "80498"),
    Party("Isolde Marchbanks", "isolde@example.com", "(555) 301-0126", "77 Alder Row", "Pinyon Falls", "CO", "80499"),
)  # fmt: skip

_VENDOR_ROWS = (
    ("Brightwater Drafting Studio", "01", "BD-{n}", "Pinyon Falls"),
    ("Pinyon Falls Building Department", "01", "PRM{n}", "Pinyon Falls"),
    ("Keystone Staking & Survey", "01", "{n}", "Sable Creek"),
    ("Dusty Boot Excavating", "02", "DB{n}", "Grouse Landing"),
    ("High Park Septic and Well", "02", "{n}-26", "Sable Creek"),
    ("Three Gulch Gravel", "02", "T{n}", "Grouse Landing"),
    ("Plumb Line Foundations", "03", "PLF-{n}", "Pinyon Falls"),
    ("Mesa Verge Ready-Mix", "03", "MV{n}", "Grouse Landing"),
    ("Rafter & Sill Framing", "04", "RS-{n}", "Pinyon Falls"),
    ("Cedar Hollow Lumber", "04", "{n}", "Sable Creek"),
    ("Ironwood Steel Supply", "04", "IW-{n}", "Grouse Landing"),
    ("Weatherlee Roofing", "05", "WR{n}", "Pinyon Falls"),
    ("Stonecutter Siding & Veneer", "05", "SSV-{n}", "Sable Creek"),
    ("Clearlight Window Company", "05", "CL{n}", "Pinyon Falls"),
    ("Quillfeather Plumbing", "06", "QP-{n}", "Pinyon Falls"),
    ("Northdraft Heating & Air", "06", "ND{n}", "Sable Creek"),
    ("Sparrow Electric", "06", "{n}", "Pinyon Falls"),
    ("Sunledge Solar", "06", "SL-{n}", "Grouse Landing"),
    ("Snug Nest Insulation", "07", "SN{n}", "Sable Creek"),
    ("Smoothwall Drywall", "07", "SW-{n}", "Pinyon Falls"),
    ("Two Brush Painting", "07", "TB{n}", "Pinyon Falls"),
    ("Hearth & Plank Floors", "08", "HP-{n}", "Sable Creek"),
    ("Marlowe Tile Works", "08", "MT{n}", "Grouse Landing"),
    ("Fine Grain Millwork", "08", "FG-{n}", "Pinyon Falls"),
    ("Dovetail Cabinet Shop", "09", "DC{n}", "Sable Creek"),
    ("Slab & Vein Countertops", "09", "SV-{n}", "Pinyon Falls"),
    ("Lumen House Lighting", "10", "LH{n}", "Pinyon Falls"),
    ("Copperkettle Fixtures", "10", "CK-{n}", "Sable Creek"),
    ("Green Gable Landscapes", "11", "GG{n}", "Grouse Landing"),
    ("Rockrose Decks & Walls", "11", "RR-{n}", "Pinyon Falls"),
    ("Haul-It-Away Dumpsters", "12", "HA{n}", "Grouse Landing"),
    ("Tall Timber Equipment Rental", "12", "TT-{n}", "Sable Creek"),
    ("Spick & Span Site Cleaning", "12", "{n}", "Pinyon Falls"),
    ("Handyside Punch-Out", "13", "HS-{n}", "Pinyon Falls"),
)  # fmt: skip

VENDORS = tuple(
    Party(
        name,
        email=f"billing@vendor{place:02d}.example",
        phone=f"(555) 410-{1000 + 7 * place}",
        street=f"{100 + 13 * place} Commerce Way",
        city=city,
        region="CO",
        postal_code={"Pinyon Falls": "80499", "Sable Creek": "80498", "Grouse Landing": "80497"}[city],
        divisions=(division,),
        style=style,
        license_number=f"CL-{48000 + 37 * place}" if division in ("03", "04", "05", "06") else "",
    )
    for place, (name, division, style, city) in enumerate(_VENDOR_ROWS, start=1)
)

JOBS = (
    Job("2601", "Ashdown Residence", "Marguerite and Theo Ashdown", 1_184_000, 1, 12, 5),
    Job("2602", "Raghunathan House", "Dr. Priya Raghunathan", 942_500, 1, 10, 5),
    Job("2603", "Quillon Cabin", "Bertrand Quillon", 486_000, 2, 8, 5, "closed"),
    Job("2604", "Oyelaran Lot 7", "The Oyelaran Family Trust", 1_420_000, 3, 13, 5),
    Job("2605", "Castellane Addition", "Winifred Castellane", 212_400, 3, 5, 0, "closed"),
    Job("2606", "Verbeke Farmhouse", "Hollis and June Verbeke", 877_300, 4, 11, 10),
    Job("2607", "Depot Plaza Live-Work", "Sorenmark Holdings LLC", 1_655_000, 5, 14, 10),
    Job("2608", "Thorvald Remodel", "Anneliese Thorvald", 158_750, 6, 4, 0),
    Job("2609", "Fairweather Guest House", "Fairweather Residence: Guest House", 334_900, 7, 7, 5),
    Job("2610", "Ibarrondo House", "Mateo Ibarrondo", 768_000, 8, 11, 5),
    Job("2611", "Whitlock-Sato Barn", "Cordelia Whitlock-Sato", 296_000, 12, 6, 5, "planned"),
)

LARKSPUR = Company(
    slug="larkspur-custom-homes",
    name="Larkspur Custom Homes",
    provider="quickbooks_online",
    time_zone="America/Denver",
    seed=2601,
    codes=CODES,
    clients=CLIENTS,
    vendors=VENDORS,
    jobs=JOBS,
    accounts=ACCOUNTS,
    preferred={
        "01": "Permits and Fees",
        "02": "Subcontractors",
        "03": "Subcontractors",
        "04": "Subcontractors",
        "05": "Subcontractors",
        "06": "Subcontractors",
        "07": "Subcontractors",
        "08": "Subcontractors",
        "09": "Subcontractors",
        "10": "Job Materials",
        "11": "Subcontractors",
        "12": "Jobsite Costs",
        "13": "Direct Labor",
    },
    unmapped=("06-170", "12-140", "05-130"),
    windows={
        "01": ("0", "0.10"),
        "02": ("0", "0.25"),
        "03": ("0.08", "0.30"),
        "04": ("0.22", "0.48"),
        "05": ("0.38", "0.62"),
        "06": ("0.42", "0.75"),
        "07": ("0.58", "0.78"),
        "08": ("0.68", "0.92"),
        "09": ("0.70", "0.90"),
        "10": ("0.78", "0.96"),
        "11": ("0.80", "1"),
        "12": ("0", "1"),
        "13": ("0.95", "1"),
    },
    shares={
        "01": 4,
        "02": 7,
        "03": 10,
        "04": 17,
        "05": 13,
        "06": 15,
        "07": 8,
        "08": 8,
        "09": 6,
        "10": 4,
        "11": 4,
        "12": 3,
        "13": 1,
    },
    vendor_retainage_percent=5,
    draw_prefix="D",
)
