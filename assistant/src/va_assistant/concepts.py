"""Words that people use for each other when they ask; pure data and its look-up.

General English: how questions are worded, not what any one text is about. A group holds words of
about one meaning; a word may stand in several. Two words of a group match each other, at a
discount, and never chain from group to group. `wide > narrow`: the wide words match the narrow ones
and the other way round, but no narrow word another (a cat is no dog).
"""

import re
from functools import cache

from va_assistant.words import stem

_GROUPS = """
work job employer employ employment occupation profession career position role living workplace
  experience
work engineer developer consultant designer
earn salary wage pay income compensation remuneration
employer company firm organisation organization business
employee staff colleague worker coworker team personnel workforce
boss manager supervisor superior chief head lead leader director report
lead run head manage direct oversee supervise charge responsible
founder found founded establish start create begin set launch
owner own owned proprietor belong
responsible duty responsibility task charge
skill ability know proficient expertise experience able competence technology tool
study degree education university college school graduate graduation educate alma major
  educational academic qualification diploma attend
degree > bachelor master phd doctorate msc bsc ba ma diploma
phd doctorate doctoral
master msc ma
bachelor bsc ba
thesis dissertation
school class course training lesson lecture seminar workshop
teach teacher instructor tutor trainer lecturer train
learn study train
language speak tongue fluent multilingual mother-tongue native
language tongue > english german french spanish italian portuguese dutch norwegian swedish danish
  finnish icelandic polish czech slovak hungarian romanian bulgarian serbian croatian slovene
  greek turkish russian ukrainian arabic hebrew persian farsi urdu hindi bengali tamil punjabi
  chinese mandarin cantonese japanese korean vietnamese thai indonesian malay swahili latin irish
  gaelic welsh catalan basque estonian latvian lithuanian albanian armenian georgian
speak talk
live home address reside residence based location house dwell apartment stay
address location located street situated where find directions based
grow childhood raise upbringing hometown
born birth birthday birthplace birthdate native
age old birth born years
family relative parent sibling
wife husband spouse partner marry married marriage wedding
child kid children baby
child kid > son daughter
mother mum mom parent father dad
brother sister sibling
pet animal > dog cat puppy rabbit hamster parrot horse kitten bird fish
dog puppy
cat kitten
hobby leisure pastime free-time spare interest fun enjoy weekend
sport > football tennis swim run climb cycle ski basketball row marathon hockey golf chess judo yoga
instrument > piano cello violin guitar flute drum trumpet saxophone harp clarinet accordion
  viola organ trombone tuba horn cornet oboe bassoon keyboard harmonica recorder bass drums
  ukulele banjo mandolin percussion
instrument music play musician musical
music band choir orchestra quartet sing concert
prize award honour honor medal trophy recognition won win prize-winning
publish publication paper article book wrote write author written journal
book novel write author
invent patent invention
project product built build develop developed
build construct make produce manufacture develop
volunteer charity voluntary unpaid
certificate certification certified licence license qualification accredited
contact reach mail email phone telephone call touch write
phone telephone call mobile number dial ring
email mail e-mail address write
website web online url homepage page internet
post mail letter postal
cost price fee charge rate eur usd gbp pay tariff amount expense expensive cheap
price pricing list
pay payment paid card cash invoice bill method settle
card credit debit visa mastercard
bill invoice receipt
free gratis complimentary charge included cost extra
whole full entire complete all
half
rent rental
extra additional surcharge included supplement
alone unaccompanied supervised
unused left remaining carry
cheap cheapest lowest inexpensive affordable budget
expensive dearest highest costly
discount reduction reduced rebate off cheaper concession percent coupon voucher offer deal save
voucher gift card certificate coupon
deposit advance prepayment upfront down
penalty fine late fee charge
refund reimburse reimbursement money back return repay
return send back exchange
exchange swap replace replacement
complain complaint dissatisfied unhappy
warranty guarantee guaranteed cover
broken damaged faulty defective defect damage break malfunction
repair fix mend service maintain maintenance restore
cancel cancellation terminate call withdraw abort
terminate end termination resign quit leave cancel notice dismissal
quit resign resignation leave notice
change modify alter amend switch adjust update edit
reschedule move postpone rebook change shift rearrange
book reserve reservation booking appointment schedule slot
appointment visit session consultation booking
order buy purchase
buy purchase order acquire get
sell offer stock
deliver ship dispatch send shipping delivery arrive post postage courier parcel
abroad international overseas foreign worldwide country
parcel package packet
open opening hours hour clock close closed o'clock business
close closed shut holiday
start begin commence open opening launch
end finish close expire until stop deadline over
deadline due latest closing until submit end
late delay delayed overdue tardy
early earliest before
long duration last take length time
last take duration
wait waiting queue
weekday > monday tuesday wednesday thursday friday
weekend > saturday sunday
day > monday tuesday wednesday thursday friday saturday sunday
month monthly
year annual annually yearly anniversary
week weekly
daily day
holiday vacation leave annual-leave pto
sick ill illness sickness unwell disease medical
sick doctor certificate note
doctor physician medical gp
hospital clinic medical
allergy allergic allergen nut gluten intolerant intolerance
vegetarian vegan meat plant-based diet eat
food meal eat lunch dinner breakfast menu dish cuisine snack catering canteen
drink beverage coffee tea water juice
restaurant cafe canteen diner bistro cafeteria
kitchen canteen cook
parental maternity paternity parent baby birth newborn leave
remote home remotely telework homeworking teleworking wfh hybrid
overtime extra additional hours
hours schedule shift worktime time
break pause rest lunch
probation trial probationary period
trial try test sample free
bonus reward incentive premium
pension retirement retire
insurance insured insure cover coverage policy
benefit perk advantage extra
expense reimburse claim cost travel spending
claim request apply submit
travel trip journey commute business-trip
train rail railway
car drive vehicle auto automobile
bike bicycle cycle
park parking garage car lot space
bus tram metro subway transport
flight fly plane airport air
hotel accommodation room overnight lodging stay
room space
rent hire lease loan borrow rental
borrow lend loan
laptop computer notebook machine device equipment
equipment gear device tool hardware material
phone mobile smartphone
password login credential passphrase pin sign-in
security secure safe safety protect
lose lost missing misplace
steal stolen theft rob
emergency fire accident evacuation alarm urgent incident
accident injury injured hurt incident
first-aid aid
report notify inform tell announce disclose
ask request question enquire inquire
approve approval authorise authorize permission sign agree consent allow
allow permit may can permitted allowed forbidden prohibited ban okay
forbidden prohibited ban not-allowed
smoke smoking cigarette tobacco vape
alcohol beer wine drink
dress clothes clothing wear attire outfit uniform
visitor guest visit
child kid family young age
elderly senior pensioner old
student pupil learner
customer client guest user buyer
member membership join subscription
join register enrol enroll signup sign membership subscribe registration
register registration enrolment sign enrol
age minimum young
group party team people
maximum max most limit highest up largest capacity
minimum min least lowest smallest
limit maximum cap restriction quota
size large big dimension measure area
weigh weight heavy kg kilogram kilo
height tall high
large big huge
small little tiny
fast quick quickly rapid speed soon
quickly response respond reply answer time
answer reply respond response
help support assistance assist helpdesk service
support help helpdesk service
problem issue trouble error fault
meet meeting gathering
meeting conference call
party celebrate celebration event
event festival
present gift
train training course development
review evaluation appraisal assessment feedback performance
goal objective target aim purpose
rule policy regulation guideline law
document paper file form record
form document application
store keep retain save kept storage retention
delete erase remove destroy
data information
privacy personal data gdpr protection
share disclose pass give
photo picture image
paint painting art artist paintings
garden plant flower
clean cleaning wash tidy laundry
wash laundry
water
key access badge
access enter entry entrance door admission get
ticket admission entry pass
door entrance gate
floor storey level
toilet restroom bathroom wc lavatory
wheelchair accessible accessibility disabled disability barrier
wifi wi-fi wlan internet network
colour color > red green blue yellow black white grey gray orange purple pink brown silver gold
  turquoise
programming code coding > python java javascript rust sql c++ ruby php typescript kotlin golang
  matlab
winter > november december january february
summer > june july august
spring > march april may
autumn fall > september october november
metal > steel iron copper silver gold
currency > eur usd gbp
transport > bus tram train metro ferry bicycle
material made fabric ingredient contain
ingredient contain made
contain include consist comprise have
include included come part cover inclusive contain
offer provide sell available have service give
available stock availability offer
bring carry take provide
need require must necessary required requirement have
need want
get receive obtain have
receive get obtain given entitle entitled
entitle right eligible get allowance have
city town place
country nation
nationality citizen citizenship country passport
current now present today currently
previous former past earlier before formerly ex previously last
future plan next
reference referee recommend recommendation
hire recruit employ recruitment
candidate applicant apply
vacancy opening job hire
member part
favourite favorite prefer best love
like enjoy love prefer fond
dislike hate
die death dead deceased
religion church faith
size employee headcount people staff
stand represent mean abbreviation acronym
name call title known named
nickname called known alias
called name
win prize award first
military army navy
government public state
bank account iban transfer
account profile user
tax vat
tip gratuity
heat heating temperature warm cold
quiet noise silent loud
backup copy
update upgrade version
install installation set setup assemble assembly fit
charge charger charging
mile kilometre km distance far
far distance away km minute near close
near nearest close nearby
hair haircut cut trim
woman women lady female
man men gentleman male
massage treatment therapy
treatment procedure
glasses lens
teeth tooth dental
tour guide guided
swim pool swimming
gym fitness exercise workout
bed sleep bedroom
towel linen sheet
breakfast morning
evening night
night overnight
same-day today
express fast urgent rush
standard normal regular usual
usual normal regular typical usually
sustainable environment green ecological eco
recycle waste rubbish garbage trash
conflict dispute disagreement
harassment bullying discrimination harass bully
whistleblower report misconduct
onboarding new first start joiner starter newcomer
probation new
intern internship trainee apprentice
promotion promote raise career
raise increase salary
part-time parttime reduced
mentor buddy coach
christmas december
easter april
stairs steps staircase stairway
elevator lift escalator
adult grownup
rescue save saved
save rescue keep
sandwich picnic lunch food snack
food meal > soup sandwich pizza salad bread cake waffle fruit
drink beverage > coffee tea juice beer wine water lemonade
bring carry take
bring welcome allowed permitted
finish complete graduate end
christmas easter > holiday
run teach lead manage
musical > piano cello violin guitar flute drum choir sing
barefoot shoes
cash coin
change reset replace
minor underage child
picture photo photography camera film
pram stroller buggy pushchair
luggage baggage suitcase bag backpack
locker cloakroom storage wardrobe
shop store boutique souvenir
maximum most limit upto largest
minimum least fewest
lit light lamp illuminated turn switch
switch turn
rebuild renovate restore refurbish modernise
architect design build
build built construct erect
weapon gun knife
noisy loud noise
painter artist
singer musician
nurse doctor
lawyer attorney solicitor
accountant bookkeeper
cook chef
shopkeeper owner
landlord owner
neighbour neighbor
friend companion
roommate flatmate
birthplace birth
passport id identity identification document
driving-licence licence
certificate proof
proof evidence receipt
receipt invoice bill
warranty years
spare replacement part
part component piece
clothes clothing garment
shoe footwear boots
coat jacket
glove gloves
helmet protection
protective protection safety
medicine drug medication pharmacy
vaccine vaccination jab
pregnant pregnancy
blood sample
x-ray scan
diabetes diabetic
pain hurt ache
emergency urgent
ambulance emergency
police officer
school-holiday vacation
homework exercise
exam test examination
mark grade score
pass succeed
timetable schedule plan
curriculum programme program
program programme event
concert performance show
show performance display exhibit exhibition
exhibition exhibit collection gallery
seat place chair
ticket fare
fare price
single one-way
return round-trip
season pass
platform track
delay late
gate entrance
border customs
customs duty import
currency money
exchange swap
interest rate
loan credit mortgage
savings account
share stock
profit earnings revenue turnover income
revenue turnover sales
loss deficit
debt owe
donate donation give support sponsor
sponsor fund finance funding
grant scholarship fund
founder creator inventor
ceo chief director managing boss
chairman chair president
president chair head
lead chair head preside president chairman chairwoman
puncture flat
surgery operation operate
checkup check-up examination consultation
dentist teeth dental
start available availability
copy print photocopy
ride > bike bicycle e-bike horse scooter motorcycle moped
leave depart departure
arrive arrival come
wash laundry clothes
hut cabin lodge chalet cottage bungalow
hobby interest personal private
handle process
alter change amend
secretary assistant
receptionist reception
caretaker janitor
cleaner cleaning
guard security
driver drive chauffeur
pilot fly
professor lecturer teacher
headteacher principal head
principal head
trainee apprentice intern
freelance self-employed
retire pension
hometown born grow
brother sibling
sister sibling
grandfather grandparent
grandmother grandparent
bake baker bakery
butcher meat
vegetable vegan
fruit apple
sugar sweet
milk dairy lactose cheese
fish seafood
pork meat
beef meat
chicken meat poultry
spicy hot
fridge refrigerator
oven stove cooker
dishwasher dishes
washing-machine laundry washer
dryer drier tumble
iron ironing
vacuum hoover
television tv
screen monitor display
printer print
copy photocopy
scan scanner
software app program application
app application software
headset headphones
plug socket
light lamp
bulb lamp
heater heating radiator
fan ventilation
air-conditioning aircon cooling
basement cellar
attic loft
balcony terrace
terrace patio outdoor
backyard garden yard
lawn grass
pool swim
spa wellness
lesson class
beginner novice start
advanced experienced
level difficulty
coach trainer
match game
game play
playground children
nappy diaper change
feed nurse
babysit childcare nursery kindergarten daycare
nursery kindergarten daycare crèche
ship boat vessel
boat ship vessel
ferry boat
sail sailing
row rowing
harbour port pier
beach shore coast
mountain hill
hike walk trail
walk foot
camp tent camping
caravan motorhome camper
campfire fire
firewood wood
barbecue grill bbq
rubbish waste
quiet-hours night
leash lead
vet animal
feed food
breed race
horse riding
organic bio
local regional
origin come
made produce manufacture
produced made
factory plant
warehouse storage
supplier vendor
contract agreement
agreement contract
valid expire
expire valid
renew extend
extend extension prolong
transfer move
relocate move relocation
move moving
choose select pick
pick collect collection pickup
collect pickup fetch
drop leave return
deliver bring
volume litre liter capacity
capacity hold volume seats room
hold capacity
power watt
energy electricity
electricity power energy
fuel petrol gasoline diesel
tyre tire
engine motor
code pin
model version type
brand make
wood wooden
cotton fabric
vote election
law legal
secret confidential confidentiality nda
confidential secret private
private personal
leak breach
virus malware
phishing scam spam
encrypt encryption
vpn remote
outage down downtime
ticket issue
escalate escalation
priority urgent
feedback comment review
rating review
advertise advertising marketing promotion
newsletter mailing subscribe
subscribe newsletter
unsubscribe cancel
social facebook instagram twitter linkedin
press media journalist
speech talk lecture
present presentation
guest visitor
theatre theater
cinema film movie
road street
"""

_PHRASES: tuple[tuple[str, str], ...] = (
    ((
r"\b(?:makes?|earns?|made|earning|making|earned) (?:a|an|his|her|their|your|its"
r"|the)?\s*(?:living|money|bread)\b"
), "work job"),
    (r"\b(?:(?:do|does|did|doing) )?for (?:a|his|her|their|your) living\b", "work job"),
    ((
r"\b(?<=what )(?:does|do|did|is|was) (?:he|she|they) (?:do"
r"|doing)(?: (?:now|today|at the moment|these days|professionally))?\s*\?*$"
), "work job"),
    ((
r"\b(?<=what )(?:does|do|did|is|was) (?=(?!(?:i|we|you|one) )(?:\w+ ){1,3}(?:do"
r"|doing)\s*\?*$)"
), "work job"),
    (r"\b(?:come|came|brought|comes) into the world\b", "born"),
    (r"\bat the moment\b", "current"),
    (r"\b(?:programming|coding|computer) languages?\b", "programming"),
    (r"\bgrown[- ]?ups?\b", "adult"),
    (r"\b(?:turn(?:ed)?|switch(?:ed)?) on\b", "lit light start"),
    (r"\bget in touch\b", "contact"),
    ((
r"\b(?:get|have|want|give\w*|getting|receive) (?:my |the |your |their "
r"|our )?money (?:back|returned)\b"
), "refund"),
    (r"\bmoney back\b", "refund"),
    (r"\bcheck(?:ing)?[- ]?in\b", "arrival check"),
    (r"\bcheck(?:ing)?[- ]?out\b", "departure check"),
    (r"\bdown payment\b", "deposit"),
    (r"\bpick(?:ed|ing)? (?:\w+ ){0,2}?up\b", "collect"),
    (r"\bdrop(?:ped|ping)? (?:\w+ ){0,2}?off\b", "leave deliver"),
    (r"\b(?:take|taking|took|taken) (?:\w+ ){0,2}?out\b", "remove"),
    (r"\b(?:throw|thrown|throwing) (?:\w+ ){0,2}?away\b", "waste dispose"),
    (r"\bfill(?:ed|ing)? (?:\w+ ){0,2}?(?:in|out)\b", "complete form"),
    (r"\bfront desk\b", "reception"),
    (r"\bbusiness (?:trips?|travel)\b", "travel trip"),
    (r"\bpublic transport(?:ation)?\b", "transport bus train"),
    (r"\b(?:mother tongue|first language)\b", "native tongue"),
    (r"\b(?:get|receive|see) (?:my|our|your|their|his|her) money\b(?! back)", "pay wage salary"),
    (r"\b(?:send|give|bring|take|sent) (?:\w+ ){1,4}back\b", "return"),
    (r"\btime off\b|\bdays? off\b", "holiday leave vacation"),
    (r"\bcall(?:ing|ed|s)? in sick\b", "sick report"),
    (r"\bfrom home\b|\bhome[- ]?office\b", "remote home"),
    (r"\b(?:is|are|was|were|do|does|did) \w+(?: \w+)? (?:come )?from\s*\?*$", "born hometown"),
    (r"\b(?:grow|grew|grown) up\b", "grow childhood"),
    (r"\b(?:spare|free) time\b", "hobby"),
    (r"\b(?:for fun|to relax)\b", "hobby"),
    (r"\bhow old\b", "born age found build"),
    (r"\b(?:in charge of|heads up)\b", "lead responsible"),
    (r"\bset up\b", "install found"),
    (r"\bsign up\b", "register"),
    (r"\bcall off\b", "cancel"),
    (r"\bput off\b", "postpone"),
    (r"\blook after\b", "care"),
    (r"\bopening (?:hours|times?)\b", "open hour"),
    ((
r"\b(?:get|come|travel) (?:to (?:you|the|your)|there)\b"
), "address location directions bus train car exit"),
    ((
r"\bfind (?:you|your (?:shop|office|place|store|building))\b"
), "address location"),
    (r"\bkind of (?:job|work)\b", "job"),
    (r"\bliving in\b", "live"),
    (r"\bset (?:me|you|us|one) back\b", "cost"),
    ((
r"\bhow much\b(?= (?:is|are|was|were|will|would|can|could|should|must|may|for|to|the|an?|it|money"
r"|(?:do|does|did) (?!\w+(?: \w+)? weigh))\b)|\bhow (?:much|expensive|dear|cheap)\W*$"
r"|\bhow (?:expensive|dear|cheap)\b"
), "cost"),
    (r"\b(?:what time|opening)\b", "hour"),
    (r"\bhow (?:big|large)\b", "size"),
    (r"\bhow heavy\b", "weight"),
    (r"\bhow tall\b", "height"),
    (r"\bhow far\b", "distance"),
    (r"\bhow (?:fast|soon|quickly)\b", "quickly"),
)  # fmt: skip
_ANY_PHRASE = re.compile("|".join(pattern for pattern, _ in _PHRASES))
_REWRITES = tuple((re.compile(pattern), words.split()) for pattern, words in _PHRASES)


@cache
def mates(term: str) -> frozenset[str]:
    """Return the other terms that may be meant by this one."""
    return _table().get(term, frozenset())


def kinds_of(term: str) -> frozenset[str]:
    """Return the terms that name a kind of what this one means."""
    return _kinds().get(term, frozenset())


def wider(term: str) -> frozenset[str]:
    """Return the terms that this one names a kind of: a doctorate is a degree."""
    return _wider().get(term, frozenset())


def known(term: str) -> bool:
    """Tell whether a term is one of the lexicon."""
    return term in _table()


def words() -> frozenset[str]:
    """Return all words of the lexicon as they are spelt."""
    return frozenset(_GROUPS.replace(">", " ").replace("-", "").split())


def said_plainly(question: str) -> tuple[str, list[tuple[str, ...]]]:
    """Return a folded question without its turns of phrase, and what each of them means.

    A meaning is one term and others that would do as well.
    """
    meanings: list[tuple[str, ...]] = []
    if not _ANY_PHRASE.search(question):
        return question, meanings  # one look in place of fifty, for most questions
    for pattern, words in _REWRITES:
        question, times = pattern.subn(" ", question)
        if times:
            meanings.append(tuple(dict.fromkeys(map(stem, words))))
    return question, meanings


@cache
def _kinds() -> dict[str, frozenset[str]]:
    kinds: dict[str, set[str]] = {}
    for line in _GROUPS.replace("\n  ", " ").strip().splitlines():
        wide, arrow, narrow = line.partition(">")
        for word in wide.split() if arrow else ():
            kinds.setdefault(stem(word), set()).update(map(stem, narrow.split()))
    return {wide: frozenset(narrow) for wide, narrow in kinds.items()}


@cache
def _wider() -> dict[str, frozenset[str]]:
    wider: dict[str, set[str]] = {}
    for wide, narrow in _kinds().items():
        for term in narrow:
            wider.setdefault(term, set()).add(wide)
    return {term: frozenset(wide) for term, wide in wider.items()}


@cache
def _table() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for line in _GROUPS.replace("\n  ", " ").strip().splitlines():
        wide, _, narrow = line.rpartition(">")
        one, other = (
            {stem(word.replace("-", "")) for word in side.split()} for side in (wide, narrow)
        )
        for term in one:
            table.setdefault(term, set()).update((one | other) - {term})
        for term in other:
            table.setdefault(term, set()).update(one or other - {term})
    return {term: frozenset(others) for term, others in table.items()}
