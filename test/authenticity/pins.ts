import type { LeafPin, PublisherPins } from '../../src/authenticity/publisher-pins.ts';

const leaves: readonly (readonly [string, string, string])[] = [
  ['2811bccbc3ded84196fb68a44cb0a98b4476cbf3', '2008-05-26', '2009-05-26'],
  ['a3aa4750ef6657021cfdcaeac75a1f0662437920', '2010-08-17', '2011-08-17'],
  ['6fe557129cf5c782d38ad37d0f3e775e56400547', '2011-07-18', '2013-08-17'],
  ['131ac33503e6fb78736d2445cbb9b880c60479bd', '2013-02-22', '2014-05-22'],
  ['10ca4c317bb85198ac3d1ea07b07e1a32675ff68', '2013-03-13', '2014-06-13'],
  ['47dfd0f96f7e0efb6199dec35c7b8efeb93040a4', '2014-05-14', '2015-08-14'],
  ['0109e4c9e427d04a04bdb893db2b0669cda27806', '2014-05-14', '2015-08-14'],
  ['9e6b20bd4ea88490370c45636d863e4c160f07e7', '2015-07-30', '2016-10-30'],
  ['6aed155be8c79c42711c76d06c16e5170c20925e', '2015-07-30', '2016-10-30'],
  ['e4c095a4329df3f5b07624edf1e1be0905e82f48', '2016-09-15', '2017-12-11'],
  ['08212278c01e52cfd88b534f178c8be58c576f8f', '2017-07-24', '2018-07-25'],
  ['402043fe8a3df902377afa66eb79e769a27487bd', '2017-07-24', '2018-07-25'],
];

/** Leaf certificates that real Skype files were signed with, measured on files. */
export const skypePins: PublisherPins = {
  publishers: [
    {
      id: 'skype',
      name: 'Skype',
      commonNames: ['Skype Technologies SA', 'Skype Software Sarl'],
      leaves: leaves.map(([sha1, from, to]): LeafPin => ({ sha1, from, to })),
      intermediates: [],
    },
  ],
};

export const noPins: PublisherPins = { publishers: [] };
