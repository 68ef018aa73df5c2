"""How sure a figure is, what it is made of, and which figures may be shown. Each formula names its source."""

from core.shares import Share as Share
from reports.statistics.disclosing import Told as Told
from reports.statistics.disclosing import to_show as to_show
from reports.statistics.drivers import Driver as Driver
from reports.statistics.drivers import topic_costs as topic_costs
from reports.statistics.mix import Change as Change
from reports.statistics.mix import Weighted as Weighted
from reports.statistics.mix import paired_change as paired_change
from reports.statistics.mix import split_change as split_change
from reports.statistics.mix import weighted_nps as weighted_nps
from reports.statistics.nps import MIN_RANKED as MIN_RANKED
from reports.statistics.nps import MIN_SHOWN as MIN_SHOWN
from reports.statistics.nps import NO_ANSWERS as NO_ANSWERS
from reports.statistics.nps import Difference as Difference
from reports.statistics.nps import Nps as Nps
from reports.statistics.nps import all_of as all_of
from reports.statistics.nps import moved_among as moved_among
from reports.statistics.nps import nps_difference as nps_difference
from reports.statistics.nps import share_difference as share_difference
from reports.statistics.nps import significant_among as significant_among
from reports.statistics.nps import two_sided_p as two_sided_p
from reports.statistics.ranking import Estimate as Estimate
from reports.statistics.ranking import ranked as ranked
from reports.statistics.ranking import shrinkage as shrinkage
from reports.statistics.showing import shown_at_the_top as shown_at_the_top
from reports.statistics.showing import shown_below as shown_below
