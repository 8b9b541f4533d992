ew compare --graph alexnet --platform demo --strategy local,coedge --engine fast --breakdown device
ew compare --graph alexnet --platform demo --strategy local,coedge --engine fast --breakdown state
ew run --graph alexnet --platform demo --strategy local --engine fast --breakdown request --requests 4
ew run --graph alexnet --platform demo --strategy modnn --engine fast --breakdown request --requests 2 --arrival poisson:100
ew run --graph alexnet --platform demo --strategy coedge --engine fast --breakdown layer | head -6
ew run --graph alexnet --platform demo --strategy local --engine fast --breakdown request --requests 2 --arrival periodic:10 --deadline-s 0.01 --drop-at-deadline
ew run --graph alexnet --platform demo --strategy local --breakdown devise
